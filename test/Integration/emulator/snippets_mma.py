"""Snippets of mma.sync: layouts with exact sums, and how sums are rounded."""

from ptx_writer import Writer

# Type of the factors -> (k, registers of A, registers of B)
SHAPES = {"bf16": (16, 4, 2), "f16": (16, 4, 2), "e4m3": (32, 4, 2), "e5m2": (32, 4, 2), "tf32": (8, 4, 2),
          "s8": (32, 4, 2)}


def mma(kind, accumulator, generator, tolerance, suffix=""):
    k, a_count, b_count = SHAPES[kind]
    name = f"mma_{kind}_{accumulator}{suffix}"
    w = Writer(name, f"mma.sync.m16n8k{k} of {kind} with {accumulator} sums.")
    data = {"tf32": "f32", "s8": "u32"}.get(kind, kind)
    per_word = {"bf16": 2, "f16": 2, "e4m3": 4, "e5m2": 4, "f32": 1, "u32": 1}[data]
    a = w.input("a", data, 32 * a_count * per_word, generator)
    b = w.input("b", data, 32 * b_count * per_word, generator)
    words = {"f32": 4, "f16": 2, "s32": 4}[accumulator]
    sums = {"f32": "f32", "f16": "f16", "s32": "u32"}[accumulator]
    count = 32 * words * (2 if accumulator == "f16" else 1)
    c = w.input("c", sums, count, "bits" if accumulator == "s32" else "integers:4")
    result = w.output("result", sums, count, tolerance)
    thread = w.thread()
    register, move = ("f", "f32") if accumulator == "f32" else ("r", "b32")
    left = [w.op("ld.global.b32", w.at(a, thread, 4, 128 * i)) for i in range(a_count)]
    right = [w.op("ld.global.b32", w.at(b, thread, 4, 128 * i)) for i in range(b_count)]
    start = [w.op(f"ld.global.{move}", w.at(c, thread, 4, 128 * i), kind=register) for i in range(words)]
    sum_registers = w.reg(register, words)
    group = lambda registers: "{" + ", ".join(registers) + "}"
    w(f"mma.sync.aligned.m16n8k{k}.row.col.{accumulator}.{kind}.{kind}.{accumulator} "
      f"{group(sum_registers)}, {group(left)}, {group(right)}, {group(start)}")
    w.store_row(result, sum_registers, thread, 32, store=f"st.global.{move}")
    return w


def snippets():
    for kind in ("bf16", "f16"):
        yield mma(kind, "f32", "integers:8", "exact")
        yield mma(kind, "f32", "uniform:-1,1", "scaled:1e-6", "_rounding")
    yield mma("f16", "f16", "integers:4", "exact")
    yield mma("tf32", "f32", "integers:8", "exact")
    yield mma("s8", "s32", "bits", "exact")
