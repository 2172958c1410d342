"""What a CUDA driver answers to correct and wrong calls.

Each probe is a name and the name of the CUresult; the emulator has to answer as
the real driver does.
"""

import ctypes

from cuda_driver import DriverError

PTX = """
.version 8.3
.target sm_90a
.address_size 64
.visible .entry fill(.param .u64 buffer, .param .u32 value)
{
    .reg .b32 %r<2>;
    .reg .b64 %rd<2>;
    ld.param.u64 %rd1, [buffer];
    ld.param.u32 %r1, [value];
    st.global.u32 [%rd1], %r1;
    ret;
}
.visible .entry narrow() .maxntid 64, 1, 1
{
    ret;
}
.visible .entry exact() .reqntid 64, 1, 1
{
    ret;
}
.visible .entry pair() .explicitcluster .reqnctapercluster 2, 1, 1
{
    ret;
}
.visible .entry statics()
{
    .shared .align 16 .b8 tile[1024];
    red.shared.add.u32 [tile], 1;
    ret;
}
.visible .entry stuck()
{
    trap;
}
"""

SHARED_ATTRIBUTE = 8
NON_PORTABLE_CLUSTER = 14


class Probes:
    def __init__(self, driver):
        self.driver = driver
        self.answers = {}

    def ask(self, name, code):
        self.answers[name] = self.driver.error_name(code)

    def call(self, name, function, *arguments):
        self.ask(name, self.driver.result(function, *arguments))


def tensor_maps(probes):
    """One valid encoding, and changes of it at the edge of what is allowed."""
    good = {"kind": 9, "address": 0x10000, "dims": [128, 16, 1000, 2], "strides": [256, 4096, 4096000],
            "box": [64, 1, 128, 1], "element_strides": [1, 1, 1, 1], "swizzle": 3, "promotion": 3}

    def ask(name, **changes):
        arguments = {**good, **changes}
        probes.ask(f"tensor map: {name}", probes.driver.encode_tiled(**arguments)[0])

    def replaced(key, index, value):
        return {key: good[key][:index] + [value] + good[key][index + 1:]}

    ask("good")
    ask("rank 0", rank=0)
    ask("rank 6", rank=6)
    ask("rank 1", rank=1)
    for address in (0, 0x10008, 0x10010):
        ask(f"address {address:#x}", address=address)
    for size in (0, 1 << 31, 1 << 32, (1 << 32) + 1):
        ask(f"size {size}", **replaced("dims", 2, size))
    for stride in (0, 8, 16, 264, (1 << 40) - 16, 1 << 40):
        ask(f"stride {stride}", **replaced("strides", 2, stride))
    ask("stride below the size of a row", **replaced("strides", 0, 16))
    for box in (0, 1, 256, 257):
        ask(f"box {box}", **replaced("box", 2, box))
    for box in (1, 4, 8, 64, 65, 72, 128):
        ask(f"inner box {box}, swizzle 128", **replaced("box", 0, box))
    for swizzle, box in ((0, 256), (0, 8), (0, 12), (1, 16), (1, 24), (2, 32), (2, 40)):
        ask(f"inner box {box}, swizzle {swizzle}", swizzle=swizzle, **replaced("box", 0, box))
    for rows in (224, 227, 228, 256):
        ask(f"box of {rows} KiB", swizzle=0, box=[256, 2, rows, 1])
    ask("box larger than the tensor", **replaced("box", 1, 2), **replaced("dims", 1, 1))
    for step in (0, 8, 9):
        ask(f"element stride {step}", **replaced("element_strides", 2, step))
        ask(f"inner element stride {step}", **replaced("element_strides", 0, step))
    for kind in range(-1, 17):
        ask(f"type {kind}", kind=kind, box=[16, 1, 128, 1])
    for key, values in (("interleave", (1, 2, 3)), ("swizzle", (-1, 4, 7)), ("promotion", (-1, 4)), ("fill", (1, 2))):
        for value in values:
            ask(f"{key} {value}", **{key: value})
    ask("interleave 32, swizzle 32", interleave=2, swizzle=1)
    ask("interleave 32, address 16", interleave=2, swizzle=1, address=0x10010)
    ask("interleave 32, stride 272", interleave=2, swizzle=1, **replaced("strides", 0, 272))
    ask("interleave 16, rank 2", interleave=1, rank=2)
    ask("interleave 16, rank 3", interleave=1, rank=3)
    ask("integers filled with NaN", kind=1, fill=1)


def launches(probes):
    driver = probes.driver
    library = driver.load(PTX)
    functions = {name: driver.function(library, name) for name in
                 ("fill", "narrow", "exact", "pair", "statics", "stuck")}

    def ask(name, function, grid=(1, 1, 1), block=(32, 1, 1), shared=0, cluster=None):
        code = driver.launch(functions[function], grid, block, shared, [], cluster)
        probes.ask(f"launch: {name}", code)

    for grid in ((0, 1, 1), (1, 65535, 1), (1, 65536, 1), (1, 1, 65536), (0x80000000, 1, 1)):
        ask(f"grid {grid}", "narrow", grid=grid)
    for block in ((0, 1, 1), (1, 1, 64), (1, 1, 65), (1024, 1, 1), (1025, 1, 1), (512, 4, 1)):
        ask(f"block {block}", "statics", block=block)
    for threads in (32, 64, 65, 96):
        ask(f"{threads} threads, at most 64", "narrow", block=(threads, 1, 1))
        ask(f"{threads} threads, exactly 64", "exact", block=(threads, 1, 1))
    for shared in (48128, 48129, 49152, 49153, 232448):
        ask(f"{shared} bytes beside 1024", "statics", shared=shared)
    ask("grid 4, cluster 2", "narrow", grid=(4, 1, 1), cluster=(2, 1, 1))
    ask("grid 3, cluster 2", "narrow", grid=(3, 1, 1), cluster=(2, 1, 1))
    ask("grid 16, cluster 16", "narrow", grid=(16, 1, 1), cluster=(16, 1, 1))
    ask("cluster 0", "narrow", cluster=(0, 1, 1))
    ask("own cluster 2", "pair", grid=(4, 1, 1))
    ask("own cluster 2, given 4", "pair", grid=(4, 1, 1), cluster=(4, 1, 1))
    ask("own cluster 2, grid 3", "pair", grid=(3, 1, 1))
    for value in (-1, 231424, 231425, 232448):
        probes.call(f"attribute: {value} bytes beside 1024", "cuFuncSetAttribute", functions["statics"],
                    SHARED_ATTRIBUTE, value)
    probes.call("attribute: registers", "cuFuncSetAttribute", functions["statics"], 4, 8)
    probes.call("attribute: unknown", "cuFuncSetAttribute", functions["statics"], 99, 8)
    probes.call("attribute: clusters of 16", "cuFuncSetAttribute", functions["narrow"], NON_PORTABLE_CLUSTER, 1)
    ask("grid 16, cluster 16, allowed", "narrow", grid=(16, 1, 1), cluster=(16, 1, 1))
    ask("grid 32, cluster 32", "narrow", grid=(32, 1, 1), cluster=(32, 1, 1))
    value = ctypes.c_int()
    for name in ("fill", "statics", "narrow"):
        for attribute in (0, 1, SHARED_ATTRIBUTE, 10, 11):
            driver.call("cuFuncGetAttribute", ctypes.byref(value), attribute, functions[name])
            probes.answers[f"attribute: {attribute} of {name}"] = value.value
    driver.synchronize()
    driver.unload(library)


def images(probes):
    def ask(name, image):
        """A driver may put off looking at the text until a kernel is asked for."""
        library, kernel, function = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
        result = probes.driver.result
        code = result("cuLibraryLoadData", ctypes.byref(library), image, None, None, 0, None, None, 0)
        loaded = not code
        code = code or result("cuLibraryGetKernel", ctypes.byref(kernel), library, b"k")
        code = code or result("cuKernelGetFunction", ctypes.byref(function), kernel)
        probes.ask(f"load: {name}", code)
        if loaded:
            probes.driver.unload(library)

    def empty(version, target):
        return f".version {version}\n.target {target}\n.address_size 64\n.visible .entry k()\n{{\nret;\n}}\n".encode()

    ask("good", empty("8.3", "sm_90a"))
    ask("older target", empty("7.0", "sm_80"))
    ask("newer target", empty("8.6", "sm_100"))
    ask("newer version", empty("99.9", "sm_90a"))
    ask("no text", b"")
    ask("other text", b"hello, world\n")
    ask("unknown instruction", empty("8.3", "sm_90a").replace(b"ret;", b"frobnicate;"))
    ask("truncated", empty("8.3", "sm_90a")[:-4])


def memory(probes):
    driver = probes.driver
    address = ctypes.c_uint64()
    size = ctypes.c_size_t
    probes.call("memory: allocate 0", "cuMemAlloc_v2", ctypes.byref(address), size(0))
    probes.call("memory: allocate 2^60", "cuMemAlloc_v2", ctypes.byref(address), size(1 << 60))
    probes.call("memory: free 0", "cuMemFree_v2", ctypes.c_uint64(0))
    buffer = driver.allocate(1024)
    probes.call("memory: free inside", "cuMemFree_v2", ctypes.c_uint64(buffer + 16))
    probes.call("memory: fill, odd address", "cuMemsetD32_v2", ctypes.c_uint64(buffer + 2), 0, size(1))
    probes.call("memory: fill nothing", "cuMemsetD32_v2", ctypes.c_uint64(buffer), 0, size(0))
    probes.call("memory: copy nothing", "cuMemcpyHtoD_v2", ctypes.c_uint64(buffer), b"", size(0))
    probes.answers["memory: alignment of an allocation"] = buffer % 512
    driver.free(buffer)


def captures(probes):
    driver = probes.driver
    streams = {}
    for name, flags in (("blocking", 0), ("free", 1)):
        streams[name] = ctypes.c_void_p()
        driver.call("cuStreamCreate", ctypes.byref(streams[name]), flags)
    address = ctypes.c_uint64()

    def during(name, action, stream="free", mode=0):
        driver.call("cuStreamBeginCapture_v2", streams[stream], mode)
        probes.ask(f"capture: {name}", action())
        graph = ctypes.c_void_p()
        probes.call(f"capture: end after {name}", "cuStreamEndCapture", streams[stream], ctypes.byref(graph))
        if graph:
            driver.call("cuGraphDestroy", graph)

    def allocate():
        code = driver.result("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(64))
        if code == 0:
            driver.result("cuMemFree_v2", address)
        return code

    buffer = driver.allocate(64)
    target = ctypes.c_uint64(buffer)
    one = ctypes.c_size_t(1)
    during("nothing", lambda: 0)
    during("begin again", lambda: driver.result("cuStreamBeginCapture_v2", streams["free"], 0))
    during("synchronize", lambda: driver.result("cuStreamSynchronize", streams["free"]))
    during("synchronize the context", lambda: driver.result("cuCtxSynchronize"))
    during("allocate", allocate)
    during("allocate, thread", allocate, mode=1)
    during("allocate, relaxed", allocate, mode=2)
    during("fill in the null stream", lambda: driver.result("cuMemsetD8Async", target, 0, one, None))
    during("fill in the null stream, blocking",
           lambda: driver.result("cuMemsetD8Async", target, 0, one, None), stream="blocking")
    during("copy", lambda: driver.result("cuMemcpyHtoD_v2", target, b"x", one))
    during("copy, blocking", lambda: driver.result("cuMemcpyHtoD_v2", target, b"x", one), stream="blocking")
    probes.call("capture: null stream", "cuStreamBeginCapture_v2", None, 0)
    probes.call("capture: end without begin", "cuStreamEndCapture", streams["free"],
                ctypes.byref(ctypes.c_void_p()))
    driver.free(buffer)
    for stream in streams.values():
        driver.call("cuStreamDestroy_v2", stream)


def faults(probes):
    """A kernel's error surfaces later and stays: nothing can follow in this process."""
    driver = probes.driver
    function = driver.function(driver.load(PTX), "stuck")
    probes.ask("fault: launch that traps", driver.launch(function, (1, 1, 1), (1, 1, 1), 0, []))
    probes.call("fault: synchronize after a launch that traps", "cuCtxSynchronize")
    probes.call("fault: allocate after a launch that traps", "cuMemAlloc_v2", ctypes.byref(ctypes.c_uint64()),
                ctypes.c_size_t(64))


def run(driver):
    """All answers by name."""
    probes = Probes(driver)
    for part in (tensor_maps, launches, images, memory, captures, faults):
        try:
            part(probes)
        except DriverError as error:
            # A driver that cannot go on still has answered what came before.
            probes.answers[part.__name__] = str(error)
    return probes.answers
