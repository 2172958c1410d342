"""Snippets of mma.sync: layouts with exact sums, and how sums are rounded."""

from ptx_writer import Writer
from snippets_wgmma import group

def mma(kind, accumulator, generator, tolerance, suffix=""):
    w = Writer(f"mma_{kind}_{accumulator}{suffix}", f"mma.sync.m16n8k16 of {kind} with {accumulator} sums.")
    a = w.input("a", kind, 256, generator)
    b = w.input("b", kind, 128, generator)
    words = 4 if accumulator == "f32" else 2
    c = w.input("c", accumulator, 128, "integers:4")
    result = w.output("result", accumulator, 128, tolerance)
    thread = w.thread()
    register, move = ("f", "f32") if accumulator == "f32" else ("r", "b32")
    left = [w.op("ld.global.b32", w.at(a, thread, 4, 128 * i)) for i in range(4)]
    right = [w.op("ld.global.b32", w.at(b, thread, 4, 128 * i)) for i in range(2)]
    start = [w.op(f"ld.global.{move}", w.at(c, thread, 4, 128 * i), kind=register) for i in range(words)]
    sums = w.reg(register, words)
    w(f"mma.sync.aligned.m16n8k16.row.col.{accumulator}.{kind}.{kind}.{accumulator} "
      f"{group(sums)}, {group(left)}, {group(right)}, {group(start)}")
    w.store_row(result, sums, thread, 32, store=f"st.global.{move}")
    return w


def snippets():
    for kind in ("bf16", "f16"):
        yield mma(kind, "f32", "integers:8", "exact")
        yield mma(kind, "f32", "uniform:-1,1", "scaled:1e-6", "_rounding")
    yield mma("f16", "f16", "integers:4", "exact")
