"""Runs the package of tiles-rows.mlir or tiles-columns.mlir on the emulator.

  check_tiles.py PACKAGE LIB [TEXT...]

LIB is the folder of the runtime and the emulator. Inputs are small integers, with
which every product and sum is exact in any order, so that results must be equal.

With texts, the kernel is spoilt first: of its PTX, the first line with the last
TEXT behind lines with the others, in order, is left out.
"""

import ctypes
import random
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "emulator"))
from cuda_driver import Driver  # noqa: E402
from package_file import Package  # noqa: E402

BF16, F32 = 1, 3
DIM = 128


class Error(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int), ("driver_result", ctypes.c_int), ("message", ctypes.c_char * 1016)]


class Tensor(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("data", ctypes.c_void_p), ("dtype", ctypes.c_int), ("rank", ctypes.c_int32),
                ("sizes", ctypes.c_int64 * 8), ("strides", ctypes.c_int64 * 8)]


class Runtime:
    """libfa3_runtime through ctypes, on the emulator."""

    def __init__(self, lib, package, left_out):
        emulator = f"{lib}/libfa3_emulator.so"
        self.memory = Driver(emulator)
        self.library = ctypes.CDLL(f"{lib}/libfa3_runtime.so")
        self.driver, self.package, self.module = (ctypes.c_void_p() for _ in range(3))
        self.call("fa3_driver_open", emulator.encode(), ctypes.byref(self.driver))
        self.call("fa3_package_load_file", package.encode(), ctypes.byref(self.package))
        if left_out:
            ptx = spoil(Package(Path(package).read_bytes()).ptx(), left_out).encode()
            self.call("fa3_package_replace_ptx", self.package, ptx, ctypes.c_size_t(len(ptx)))
        self.call("fa3_module_create", self.driver, self.package, ctypes.byref(self.module))

    def call(self, function, *arguments):
        error = Error()
        if getattr(self.library, function)(*arguments, ctypes.byref(error)):
            sys.exit(f"{function}: {error.message.decode()}")

    def tensor(self, name, dtype, sizes, values):
        strides, count = [0] * len(sizes), 1
        for dim in reversed(range(len(sizes))):
            strides[dim], count = count, count * sizes[dim]
        data = struct.pack(f"<{count}f", *values) if dtype == F32 else b"".join(
            struct.pack("<f", value)[2:] for value in values)
        address = self.memory.allocate(len(data))
        self.memory.upload(address, data)
        return Tensor(name.encode(), address, dtype, len(sizes), (ctypes.c_int64 * 8)(*sizes),
                      (ctypes.c_int64 * 8)(*strides))

    def output(self, name, dtype, sizes):
        """A tensor of NaN."""
        count = 1
        for size in sizes:
            count *= size
        return self.tensor(name, dtype, sizes, [float("nan")] * count)

    def read(self, tensor):
        count = 1
        for size in tensor.sizes[:tensor.rank]:
            count *= size
        if tensor.dtype == F32:
            return struct.unpack(f"<{count}f", self.memory.download(tensor.data, 4 * count))
        halves = struct.unpack(f"<{count}H", self.memory.download(tensor.data, 2 * count))
        return struct.unpack(f"<{count}f", struct.pack(f"<{count}I", *(half << 16 for half in halves)))

    def launch(self, tensors):
        array, count = (Tensor * len(tensors))(*tensors), ctypes.c_int32(len(tensors))
        size = ctypes.c_size_t()
        self.call("fa3_workspace_size", self.package, array, count, ctypes.byref(size))
        workspace = self.memory.allocate(max(256, size.value))
        self.memory.upload(workspace, b"\xff" * max(256, size.value))
        self.call("fa3_launch", self.module, None, array, count, ctypes.c_void_p(workspace), size)
        self.memory.synchronize()


def spoil(ptx, texts):
    lines = ptx.split("\n")
    at = -1
    for text in texts:
        at = next(i for i in range(at + 1, len(lines)) if text in lines[i])
    return "\n".join(lines[:at] + lines[at + 1:])


def to_bf16(value):
    """To nearest even."""
    bits = struct.unpack("<I", struct.pack("<f", value))[0]
    bits += 0x7FFF + (bits >> 16 & 1)
    return struct.unpack("<f", struct.pack("<I", bits & 0xFFFF0000))[0]


def integers(count, limit):
    return [float(random.randint(-limit, limit)) for _ in range(count)]


def matrix(values, columns):
    return [values[i:i + columns] for i in range(0, len(values), columns)]


def transpose(a):
    return [list(row) for row in zip(*a)]


def product(a, b_transposed):
    return [[sum(map(float.__mul__, row, column)) for column in b_transposed] for row in a]


def flat(a):
    return [value for row in a for value in row]


def padded(a, rows, width):
    return a + [[0.0] * width] * (rows - len(a))


def check(name, found, expected):
    bad = [i for i, (x, y) in enumerate(zip(found, expected, strict=True)) if x != y]
    if bad:
        print(f"{name}: {len(bad)} of {len(expected)} differ, first element {bad[0]}: "
              f"{found[bad[0]]} in place of {expected[bad[0]]}")
    return not bad


def rows(runtime):
    # A ragged block of queries. The kernel writes 256 columns of dkt.
    queries, keys, blocks = 100, 256, 2
    q, k, l = integers(queries * DIM, 1), integers(keys * DIM, 1), integers(queries, 8)
    total, dk = runtime.output("sum", F32, [queries]), runtime.output("dk", F32, [keys, DIM])
    dkt, dqt = runtime.output("dkt", BF16, [DIM, keys]), runtime.output("dqt", F32, [blocks, DIM, 64])
    runtime.launch([runtime.tensor("q", BF16, [queries, DIM], q), runtime.tensor("k", BF16, [keys, DIM], k),
                    runtime.tensor("l", F32, [1, queries], l), total, dk, dkt, dqt])
    q, k = matrix(q, DIM), matrix(k, DIM)
    p = [[s + bias for s, bias in zip(row, l)] for row in product(k, q)]
    expected = product(p, transpose(q))
    dq = padded(product(transpose(p), transpose(k)), 64 * blocks, DIM)
    blocked = [value for b in range(blocks) for value in flat(transpose(dq[64 * b:64 * b + 64]))]
    return [check("sum", runtime.read(total), [sum(row) for row in q]), check("dk", runtime.read(dk), flat(expected)),
            check("dkt", runtime.read(dkt), [to_bf16(x) for x in flat(transpose(expected))]),
            check("dqt", runtime.read(dqt), blocked)]


def columns(runtime):
    queries, keys, blocks, groups = 164, 160, 3, 2
    q, k = integers(queries * DIM, 1), integers(keys * DIM, 1)
    l, r = integers(queries, 8), integers(blocks * keys, 8)
    dvt, dq = runtime.output("dvt", F32, [groups, DIM, 80]), runtime.output("dq", F32, [groups, queries, DIM])
    runtime.launch([runtime.tensor("q", BF16, [queries, DIM], q), runtime.tensor("k", BF16, [keys, DIM], k),
                    runtime.tensor("l", F32, [1, queries], l), runtime.tensor("r", F32, [blocks, keys], r), dvt, dq])
    q, k = matrix(q, DIM), matrix(k, DIM)
    p = [[s + l[i] + r[i // 64 * keys + j] for j, s in enumerate(row)] for i, row in enumerate(product(q, k))]
    expected_dvt, expected_dq = [], []
    for group in range(groups):
        mine = [row[80 * group:80 * group + 80] for row in p]
        expected_dvt += flat(product(transpose(q), transpose(mine)))
        expected_dq += flat(product(mine, transpose(k[80 * group:80 * group + 80])))
    return [check("dvt", runtime.read(dvt), expected_dvt), check("dq", runtime.read(dq), expected_dq)]


def main():
    random.seed(1)
    runtime = Runtime(sys.argv[2], sys.argv[1], sys.argv[3:])
    runtime.library.fa3_package_name.restype = ctypes.c_char_p
    name = runtime.library.fa3_package_name(runtime.package).decode()
    results = {"rows": rows, "columns": columns}[name](runtime)
    print(f"{name}: {sum(results)} of {len(results)} tensors right")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
