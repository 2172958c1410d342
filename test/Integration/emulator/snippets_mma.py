"""Snippets of mma.sync: layouts with exact sums, and how sums are rounded."""

from ptx_writer import Writer
from snippets_wgmma import group

K = {"bf16": 16, "f16": 16, "tf32": 8, "e4m3": 32}


def mma(kind, accumulator, generator, start_generator="integers:4", suffix=""):
    k = K[kind]
    w = Writer(f"mma_{kind}_{accumulator}{suffix}", f"mma.sync.m16n8k{k} of {kind} with {accumulator} sums.",
               version="8.4" if kind == "e4m3" else "8.3")
    element = "f32" if kind == "tf32" else kind
    a = w.input("a", element, 16 * k, generator)
    b = w.input("b", element, 8 * k, generator)
    words = 4 if accumulator == "f32" else 2
    c = w.input("c", accumulator, 128, start_generator)
    result = w.output("result", accumulator, 128)
    thread = w.thread()
    register, move = ("f", "f32") if accumulator == "f32" else ("r", "b32")
    left = [w.op("ld.global.b32", w.at(a, thread, 4, 128 * i)) for i in range(4)]
    right = [w.op("ld.global.b32", w.at(b, thread, 4, 128 * i)) for i in range(2)]
    start = [w.op(f"ld.global.{move}", w.at(c, thread, 4, 128 * i), kind=register) for i in range(words)]
    sums = w.reg(register, words)
    w(f"mma.sync.aligned.m16n8k{k}.row.col.{accumulator}.{kind}.{kind}.{accumulator} "
      f"{group(sums)}, {group(left)}, {group(right)}, {group(start)}")
    w.store_row(result, sums, thread, 32, store=f"st.global.{move}")
    return w


def snippets():
    for kind in ("bf16", "f16", "tf32", "e4m3"):
        yield mma(kind, "f32", "integers:8")
        yield mma(kind, "f32", "uniform:-1,1", suffix="_rounding")
        if kind != "e4m3":
            yield mma(kind, "f32", "spread:-6,6", "spread:-14,14", "_sums")
    yield mma("f16", "f16", "integers:4")
    yield mma("f16", "f16", "spread:-6,4", "spread:-12,10", "_sums")
