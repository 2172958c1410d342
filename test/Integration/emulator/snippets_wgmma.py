"""Snippets of wgmma: layouts with exact sums, and how sums are rounded.

Both factors come from an image of the shared memory full of small integers, so
that a word read from a wrong place shows and no rounding does.
"""

from ptx_writer import Writer

K = {"bf16": 16, "f16": 16, "e4m3": 32, "e5m2": 32, "tf32": 8}
SIZE = {"bf16": 2, "f16": 2, "e4m3": 1, "e5m2": 1, "tf32": 4}
LAYOUT = {0: 0, 128: 1, 64: 2, 32: 3}
IMAGE = 32768


def descriptor(w, offset, leading, stride, swizzle):
    """The matrix descriptor of a tile at `offset` of the shared memory."""
    address = w.op("add.u32", w.shared_base(), offset)
    field = w.op("and.b32", w.op("shr.u32", address, 4), "0x3fff")
    low = w.op("or.b32", field, leading >> 4 << 16)
    high = w.op("mov.u32", (stride >> 4) | LAYOUT[swizzle] << 30)
    result = w.reg("rd")
    w(f"mov.b64 {result}, {{{low}, {high}}}")
    return result


def group(registers):
    return "{" + ", ".join(registers) + "}"


class Product:
    """One m64nNkK product and its variations."""

    def __init__(self, a, b=None, n=64, d="f32", a_tile=(0, 16, 1024, 128), b_tile=(16384, 16, 1024, 128),
                 a_registers=False, trans_a=0, trans_b=0, negate_a=1, negate_b=1, scale_d=None, steps=1, step_bytes=32):
        self.__dict__.update(locals())
        self.b = b or a

    def emit(self, w, sums, left):
        """The instructions; `left` holds the registers of A, if it is in them."""
        w("wgmma.fence.sync.aligned")
        k = K[self.a]
        for step in range(self.steps):
            factors = []
            if self.a_registers:
                factors.append(group(left[step]))
            else:
                offset, *rest = self.a_tile
                factors.append(descriptor(w, offset + step * self.step_bytes, *rest))
            offset, *rest = self.b_tile
            factors.append(descriptor(w, offset + step * self.step_bytes, *rest))
            scale = self.scale(w, step)
            immediates = [self.negate_a, self.negate_b]
            if k == 16:
                immediates += ([] if self.a_registers else [self.trans_a]) + [self.trans_b]
            w(f"wgmma.mma_async.sync.aligned.m64n{self.n}k{k}.{self.d}.{self.a}.{self.b} {group(sums)}, "
              f"{', '.join(factors)}, {scale}, {', '.join(map(str, immediates))}")
        w("wgmma.commit_group.sync.aligned")
        w("wgmma.wait_group.sync.aligned 0")

    def scale(self, w, step):
        one = w.op("mov.u32", 1 if step or self.scale_d is None else self.scale_d)
        return w.op("setp.ne.u32", one, 0, kind="p")


def wgmma(name, description, product, generator="integers:4", before="integers:4", a_generator=None, b_generator=None):
    """Sums begin with given values, so that scale-d shows."""
    w = Writer(f"wgmma_{name}", description, block=128, shared=IMAGE)
    kind = "f32" if product.a == "tf32" else product.a
    element = {"f32": 4}.get(kind, SIZE[product.a])
    image = w.input("image", product.b if product.b != "tf32" else "f32", IMAGE // element, b_generator or generator)
    words = product.n // 2 if product.d == "f32" else product.n // 4
    dump = "f32" if product.d == "f32" else "f16"
    count = 128 * words * (1 if dump == "f32" else 2)
    before = w.input("before", dump, count, before)
    result = w.output("result", dump, count)
    left = []
    if product.a_registers:
        per_word = 4 // element
        a = w.input("a", kind, 128 * 4 * per_word * product.steps, a_generator or generator)
    w.copy_to_shared(image, IMAGE)
    w("fence.proxy.async")
    w("bar.sync 0")
    thread = w.thread()
    if product.a_registers and a_generator:
        left = [probe_fragment(w, a, K[product.a], element, thread)]
    elif product.a_registers:
        left = [[w.op("ld.global.b32", w.at(a, thread, 4, 512 * (4 * step + i))) for i in range(4)]
                for step in range(product.steps)]
    register, move = ("f", "f32") if product.d == "f32" else ("r", "b32")
    sums = [w.op(f"ld.global.{move}", w.at(before, thread, 4, 512 * i), kind=register) for i in range(words)]
    product.emit(w, sums, left)
    w.store_row(result, sums, thread, 128, store=f"st.global.{move}")
    return w


def probe_fragment(w, matrix, columns, element, thread):
    """A's fragment of a row-major matrix of 64 rows in global memory."""
    lane, warp = w.op("and.b32", thread, 31), w.op("shr.u32", thread, 5)
    row = w.op("mad.lo.u32", warp, 16, w.op("shr.u32", lane, 2))
    byte = w.op("mul.lo.u32", w.op("and.b32", lane, 3), 4)
    pitch = columns * element
    offset = w.op("mad.lo.u32", row, pitch, byte)
    base = w.op("add.s64", matrix, w.op("cvt.u64.u32", offset, kind="rd"), kind="rd")
    return [w.op("ld.global.b32", f"[{base}+{place}]") for place in (0, 8 * pitch, 16, 8 * pitch + 16)]


def layouts():
    for swizzle in (128, 64, 32, 0):
        stride, leading = (8 * swizzle, 16) if swizzle else (256, 128)
        tiles = {"a_tile": (0, leading, stride, swizzle), "b_tile": (16384, leading, stride, swizzle)}
        yield wgmma(f"bf16_k_swizzle{swizzle}", f"Both factors K-major, swizzle {swizzle}.", Product("bf16", **tiles))
        # Strides that differ tell the two fields of a descriptor apart.
        chunk = 16 * (swizzle // 2) if swizzle else 128
        a_tile = (0, max(chunk, 128), 2048, swizzle)
        b_tile = (16384, 4096, max(chunk, 128), swizzle)
        for name, a_trans, b_trans in (("ab", 1, 1), ("a", 1, 0), ("b", 0, 1)):
            yield wgmma(f"bf16_mn_{name}_swizzle{swizzle}", f"MN-major {name.upper()}, swizzle {swizzle}.",
                        Product("bf16", trans_a=a_trans, trans_b=b_trans, a_tile=a_tile if a_trans else tiles["a_tile"],
                                b_tile=b_tile if b_trans else tiles["b_tile"]))
        if swizzle:
            yield wgmma(f"e4m3_k_swizzle{swizzle}", f"Both factors of e4m3, swizzle {swizzle}.",
                        Product("e4m3", **tiles))
    yield wgmma("bf16_steps", "Four steps along K within a swizzled row.", Product("bf16", steps=4))
    yield wgmma("f16_k", "Both factors of f16.", Product("f16"))
    yield wgmma("f16_mn", "Both factors of f16, MN-major.", Product("f16", trans_a=1, trans_b=1))
    yield wgmma("e5m2_k", "Both factors of e5m2.", Product("e5m2"))
    yield wgmma("e4m3_e5m2", "Factors of two fp8 types.", Product("e4m3", "e5m2"), b_generator="integers:4")
    yield wgmma("tf32_k", "Both factors of tf32.", Product("tf32"))


def variations():
    for kind in ("bf16", "f16", "e4m3", "e5m2"):
        yield wgmma(f"{kind}_registers", f"A of {kind} in registers.", Product(kind, a_registers=True, steps=2))
    yield wgmma("bf16_registers_mn", "A in registers and MN-major B.",
                Product("bf16", a_registers=True, trans_b=1, b_tile=(16384, 4096, 1024, 128)))
    yield wgmma("f16_sums", "Sums in f16.", Product("f16", d="f16"), generator="integers:2")
    yield wgmma("e4m3_f16_sums", "Sums of fp8 products in f16.", Product("e4m3", d="f16"), generator="integers:2")
    for n in (8, 24, 176, 256):
        yield wgmma(f"bf16_n{n}", f"N of {n}.", Product("bf16", n=n, b_tile=(8192, 16, 512, 64), a_tile=(0, 16, 512, 64)))
    yield wgmma("bf16_scale_d0", "Without the old sums.", Product("bf16", scale_d=0, steps=2))
    for a, b in ((-1, 1), (1, -1), (-1, -1)):
        name = f"{'neg' if a < 0 else 'pos'}_{'neg' if b < 0 else 'pos'}"
        yield wgmma(f"bf16_{name}", f"Factors scaled by {a} and {b}.", Product("bf16", negate_a=a, negate_b=b))


def probes():
    """Which bits a sum keeps: see snippet_data.probe_matrix."""
    for kind, top in (("bf16", 31), ("f16", 15), ("e4m3", 8), ("e5m2", 15)):
        yield wgmma(f"probe_{kind}", f"Large and small terms of {kind} in one sum.",
                    Product(kind, n=8, a_registers=True, scale_d=0), before="integers:0",
                    a_generator=f"probe:{K[kind]},{top}", b_generator="ones")
    for kind in ("bf16", "f16"):
        yield wgmma(f"rounding_{kind}", f"Random terms of {kind}.", Product(kind, steps=4), generator="uniform:-1,1",
                    before="integers:0")
    yield wgmma("rounding_f16_sums", "Random terms of f16 with sums in f16.", Product("f16", d="f16", steps=2),
                generator="uniform:-1,1", before="integers:0")


def sums():
    """Terms of very different size, which show what a sum keeps of each."""
    product = {"n": 32, "steps": 2}
    for kind, terms, before in (("bf16", "spread:-12,12", "spread:-24,24"), ("f16", "finite", "spread:-30,30"),
                                ("e4m3", "finite", "spread:-16,16"), ("e5m2", "finite", "spread:-30,30"),
                                ("tf32", "spread:-12,12", "spread:-24,24")):
        yield wgmma(f"sums_{kind}", f"Terms of {kind} of any size.", Product(kind, **product), generator=terms,
                    before=before)
    yield wgmma("sums_e4m3_e5m2", "Terms of two fp8 types of any size.", Product("e4m3", "e5m2", **product),
                generator="finite", before="spread:-24,24")
    yield wgmma("sums_bf16_limits", "Sums of bf16 that overflow or underflow.", Product("bf16", **product),
                generator="finite", before="finite")
    yield wgmma("sums_bf16_tiny", "Sums of bf16 among the subnormal numbers.", Product("bf16", **product),
                generator="spread:-80,-56", before="spread:-149,-120")
    yield wgmma("sums_e4m3_random", "Many steps of e4m3, as in attention.", Product("e4m3", n=32, steps=4),
                generator="uniform:-2,2", before="integers:0")
    for kind in ("bf16", "f16", "e4m3", "e5m2"):
        yield wgmma(f"zeros_{kind}", f"Few terms of {kind} that are not zero.", Product(kind, **product),
                    generator="sparse", before="sparse")
        yield wgmma(f"special_{kind}", f"Infinities and NaNs among terms of {kind}.", Product(kind, **product),
                    generator="nonfinite", before="nonfinite")
    for kind in ("f16", "e4m3", "e5m2"):
        yield wgmma(f"half_sums_{kind}", f"Terms of {kind} with sums in f16.", Product(kind, d="f16", **product),
                    generator="spread:-6,4", before="spread:-14,12")
        yield wgmma(f"half_limits_{kind}", f"Sums of {kind} in f16 that overflow, underflow or are special.",
                    Product(kind, d="f16", **product), generator="nonfinite", before="nonfinite")


def fp8():
    """The two types together, and every kind of shape."""
    yield wgmma("e5m2_e4m3", "Factors of two fp8 types.", Product("e5m2", "e4m3"))
    yield wgmma("e4m3_neg_pos", "The first factor of e4m3 negated.", Product("e4m3", negate_a=-1))
    for n in (16, 72, 96, 128, 192, 224, 256):
        yield wgmma(f"e4m3_n{n}", f"N of {n}.", Product("e4m3", n=n, b_tile=(8192, 16, 512, 64), a_tile=(0, 16, 512, 64)))
    for a, b in (("e4m3", "e5m2"), ("e5m2", "e4m3")):
        small = {"n": 32, "steps": 2}
        registers = {**small, "a_registers": True}
        for name, terms, product in (("", "integers:2", registers), ("_sums", "finite", registers),
                                     ("_half", "spread:-6,4", {**small, "d": "f16"}), ("_special", "nonfinite", small)):
            yield wgmma(f"fp8_{a}_{b}{name}", f"{a} times {b}, terms of {terms}.", Product(a, b, **product),
                        generator=terms, before="nonfinite" if name == "_special" else "spread:-14,12")


def snippets():
    for part in (layouts, variations, probes, sums, fp8):
        yield from part()
