"""Snippets of instructions on registers, one thread for each element."""

from ptx_writer import Writer

COUNT = 512
BLOCK = 128
# Of lg2.approx: 2^-22, absolute between 0.5 and 2 and relative elsewhere, and the
# rounding of what it is compared with.
LG2_ERROR = 2.0 ** -22 + 2.0 ** -24

# PTX type -> (register, element type of a dump, load suffix)
TYPES = {
    "f32": ("f", "f32", "f32"), "b32": ("r", "u32", "b32"), "b16": ("h", "u16", "b16"), "b64": ("rd", "u64", "b64"),
    "f16": ("h", "f16", "b16"), "bf16": ("h", "bf16", "b16"),
}


def elementwise(name, description, inputs, operations):
    """Each operation: (label, result type, tolerance, instructions).

    Instructions use {0}, {1}, ... for the inputs, {r} for the result, and
    {p}, {h}, {t}, {l} for scratch registers.
    """
    w = Writer(name, description, block=BLOCK, grid=COUNT // BLOCK)
    addresses = [w.input(f"in{i}", dump, COUNT, generator) for i, (_, dump, generator) in enumerate(inputs)]
    outputs = [w.output(label, TYPES[kind][1], COUNT, tolerance) for label, kind, tolerance, _ in operations]
    thread = w.thread()
    sizes = {"b16": 2, "f16": 2, "bf16": 2, "b32": 4, "f32": 4, "b64": 8}
    values = []
    for address, (kind, _, _) in zip(addresses, inputs):
        register, _, suffix = TYPES[kind]
        values.append(w.op(f"ld.global.{suffix}", w.at(address, thread, sizes[kind]), kind=register))
    for output, (_, kind, _, instructions) in zip(outputs, operations):
        register, _, suffix = TYPES[kind]
        names = {"r": w.reg(register), "p": w.reg("p"), "h": w.reg("h"), "t": w.reg("r"), "l": w.reg("rd")}
        for line in instructions.split(";"):
            w(line.strip().format(*values, **names))
        w(f"st.global.{suffix} {w.at(output, thread, sizes[kind])}, {names['r']}")
    return w


def unary(kind, tolerance, source, *instructions, result=None):
    """One operation for each `instruction r, source`, named after it."""
    return [(text.replace(".", "_").replace("::", "_"), result or kind, tolerance, f"{text} {{r}}, {source}")
            for text in instructions]


def binary(kind, tolerance, *instructions):
    return [(text.replace(".", "_"), kind, tolerance, f"{text} {{r}}, {{0}}, {{1}}") for text in instructions]


def conversions():
    f32 = [("f32", "f32", "special"), ("f32", "f32", "special")]
    narrow = []
    for kind in ("bf16x2", "f16x2"):
        for mode in ("rn", "rz", "rn.relu", "rz.relu"):
            narrow += binary("b32", "exact", f"cvt.{mode}.{kind}.f32")
    for kind in ("e4m3x2", "e5m2x2"):
        for mode in ("rn.satfinite", "rn.satfinite.relu"):
            text = f"cvt.{mode}.{kind}.f32"
            narrow.append((text.replace(".", "_"), "b16", "exact", f"{text} {{r}}, {{0}}, {{1}}"))
    narrow += unary("b16", "exact", "{0}", "cvt.rn.f16.f32", "cvt.rz.f16.f32", "cvt.rn.bf16.f32", "cvt.rz.bf16.f32")
    tf32 = [(f"cvt_{mode.replace('.', '_')}_tf32_f32", "b32", "exact", f"cvt.{mode}.tf32.f32 {{r}}, {{0}}")
            for mode in ("rna", "rn", "rz", "rn.relu")]
    yield elementwise("convert_tf32", "Rounding of f32 to tf32.", f32[:1], tf32)
    yield elementwise("convert_f32_narrow", "Rounding of f32 to narrower floating-point types.", f32, narrow)

    integers = []
    for mode in ("rni", "rzi", "rmi", "rpi"):
        integers += unary("b32", "exact", "{0}", f"cvt.{mode}.s32.f32", f"cvt.{mode}.u32.f32", f"cvt.{mode}.ftz.s32.f32")
        integers += unary("b64", "exact", "{0}", f"cvt.{mode}.s64.f32")
        integers += unary("f32", "exact", "{0}", f"cvt.{mode}.f32.f32")
    integers += unary("f32", "exact", "{0}", "cvt.rzi.ftz.f32.f32", "cvt.sat.f32.f32", "cvt.ftz.f32.f32")
    yield elementwise("convert_f32_integer", "Rounding of f32 to integers and to integral f32.", f32[:1], integers)

    back = []
    for mode in ("rn", "rz", "rm", "rp"):
        back += unary("f32", "exact", "{0}", f"cvt.{mode}.f32.s32", f"cvt.{mode}.f32.u32")
        back += unary("f32", "exact", "{1}", f"cvt.{mode}.f32.s64", f"cvt.{mode}.f32.u64")
    back += unary("b64", "exact", "{0}", "cvt.s64.s32", "cvt.u64.u32")
    back += unary("b32", "exact", "{1}", "cvt.u32.u64")
    back += unary("b32", "exact", "{0}", "cvt.s32.s8", "cvt.u32.u8", "cvt.s32.s16", "cvt.u32.u16")
    back = [(n, k, t, f"cvt.u16.u32 {{h}}, {{0}}; {i.replace('{0}', '{h}')}"
             if n in ("cvt_s32_s8", "cvt_u32_u8", "cvt_s32_s16", "cvt_u32_u16") else i) for n, k, t, i in back]
    yield elementwise("convert_integer", "Integers to f32 and to other widths.",
                      [("b32", "u32", "bits"), ("b64", "u64", "bits")], back)

    wide = [(f"cvt_{mode.replace('.', '_')}f16x2_{kind}", "b32", "exact", f"cvt.{mode}f16x2.{kind} {{r}}, {{0}}")
            for kind in ("e4m3x2", "e5m2x2") for mode in ("rn.", "rn.relu.")]
    wide += [("cvt_f32_f16", "f32", "exact", "cvt.f32.f16 {r}, {0}"),
             ("cvt_f32_bf16", "f32", "exact", "cvt.f32.bf16 {r}, {0}"),
             ("cvt_e4m3x2_f16x2", "b16", "exact", "cvt.rn.satfinite.e4m3x2.f16x2 {r}, {1}"),
             ("cvt_e5m2x2_f16x2", "b16", "exact", "cvt.rn.satfinite.e5m2x2.f16x2 {r}, {1}"),
             ("cvt_rni_s32_f16", "b32", "exact", "cvt.rni.s32.f16 {r}, {0}"),
             ("cvt_rn_f16_s32", "b16", "exact", "cvt.rn.f16.s32 {r}, {1}")]
    yield elementwise("convert_wide", "Narrow floating-point types to wider ones, and f16 to fp8.",
                      [("b16", "u16", "bits"), ("b32", "u32", "bits")], wide)
    yield all_fp8()


def all_fp8():
    """Every f16, every pair of codes, and f32 of every upper half with nothing, little and much behind it."""
    w = Writer("convert_fp8_all", "All roundings of fp8.", block=256, grid=256)
    variants = [(kind, relu) for kind in ("e4m3x2", "e5m2x2") for relu in ("", ".relu")]
    outputs = [[w.output(f"{kind}{relu.replace('.', '_')}_{part}", "u32", 65536) for part in ("f32", "f16", "wide")]
               for kind, relu in variants]
    thread = w.thread()
    exact = w.op("shl.b32", thread, 16)
    little, much = w.op("or.b32", exact, 1), w.op("or.b32", exact, 65535)
    code = w.op("cvt.u16.u32", thread, kind="h")
    halves = w.op("mov.b32", f"{{{w.op('xor.b16', code, 0x8000, kind='h')}, {code}}}")
    for (kind, relu), (f32, f16, wide) in zip(variants, outputs):
        cvt = f"cvt.rn.satfinite{relu}.{kind}"
        low, high = w.op(f"{cvt}.f32", little, exact, kind="h"), w.op(f"{cvt}.f32", exact, much, kind="h")
        w(f"st.global.b32 {w.at(f32, thread, 4)}, {w.op('mov.b32', f'{{{low}, {high}}}')}")
        narrow = w.op("cvt.u32.u16", w.op(f"{cvt}.f16x2", halves, kind="h"))
        w(f"st.global.b32 {w.at(f16, thread, 4)}, {narrow}")
        w(f"st.global.b32 {w.at(wide, thread, 4)}, {w.op(f'cvt.rn{relu}.f16x2.{kind}', code)}")
    return w


def arithmetic():
    f32 = [("f32", "f32", "special"), ("f32", "f32", "special"), ("f32", "f32", "special")]
    operations = []
    for text in ("add", "mul", "sub"):
        operations += binary("f32", "exact", *(f"{text}.{mode}f32" for mode in ("rn.", "rz.", "rm.", "rp.", "rn.ftz.")))
    operations += binary("f32", "exact", "add.sat.f32", "div.rn.f32", "min.f32", "max.f32", "min.NaN.f32",
                         "max.NaN.f32", "min.ftz.f32", "max.ftz.f32", "copysign.f32")
    operations += [(f"fma_{mode.replace('.', '_')}", "f32", "exact", f"fma.{mode}.f32 {{r}}, {{0}}, {{1}}, {{2}}")
                   for mode in ("rn", "rz", "rm", "rp", "rn.ftz", "rn.sat")]
    operations += unary("f32", "exact", "{0}", "abs.f32", "neg.f32", "abs.ftz.f32", "neg.ftz.f32", "rcp.rn.f32",
                        "sqrt.rn.f32")
    for test in ("eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"):
        operations.append((f"setp_{test}", "b32", "exact",
                           f"setp.{test}.f32 {{p}}, {{0}}, {{1}}; selp.u32 {{r}}, 1, 0, {{p}}"))
    operations.append(("testp_finite", "b32", "exact",
                       "testp.finite.f32 {p}, {0}; selp.u32 {r}, 1, 0, {p}"))
    yield elementwise("arithmetic_f32", "Arithmetic and comparison of f32 in all roundings.", f32, operations)

    packed = []
    for text in ("add.rn.bf16x2", "mul.rn.bf16x2", "add.f16x2", "mul.f16x2", "sub.f16x2", "add.rn.ftz.f16x2", "min.f16x2",
                 "max.f16x2", "max.NaN.f16x2", "min.bf16x2", "max.bf16x2", "max.NaN.bf16x2"):
        packed += binary("b32", "exact", text)
    for text in ("fma.rn.f16x2", "fma.rn.ftz.f16x2", "fma.rn.relu.f16x2", "fma.rn.bf16x2", "fma.rn.relu.bf16x2"):
        packed.append((text.replace(".", "_"), "b32", "exact", f"{text} {{r}}, {{0}}, {{1}}, {{2}}"))
    packed += unary("b32", "exact", "{0}", "neg.f16x2", "abs.f16x2", "neg.bf16x2", "abs.bf16x2")
    words = [("b32", "u32", "bits")] * 3
    yield elementwise("arithmetic_packed", "Arithmetic of pairs of f16 and bf16.", words, packed)

    # The documented errors, twice: once for each side of the comparison.
    approximate = []
    for text, tolerance in (("ex2.approx.f32", "ulp:4"), ("ex2.approx.ftz.f32", "ulp:4"), ("rcp.approx.f32", "ulp:2"),
                            ("rcp.approx.ftz.f32", "ulp:2"), ("rsqrt.approx.f32", "ulp:4"), ("rsqrt.approx.ftz.f32", "ulp:4"),
                            ("sqrt.approx.f32", "ulp:4"), ("sqrt.approx.ftz.f32", "ulp:4")):
        approximate += unary("f32", tolerance, "{0}", text)
    approximate += [("div_approx", "f32", "ulp:4", "div.approx.f32 {r}, {2}, {3}"),
                    ("div_full", "f32", "ulp:4", "div.full.f32 {r}, {2}, {3}"),
                    ("lg2_approx", "f32", f"mixed:{LG2_ERROR}", "lg2.approx.f32 {r}, {3}"),
                    ("lg2_special", "f32", f"mixed:{LG2_ERROR}", "lg2.approx.ftz.f32 {r}, {0}"),
                    ("tanh_approx", "f32", "absolute:0.001", "tanh.approx.f32 {r}, {2}"),
                    ("sin_approx", "f32", "absolute:2e-6", "sin.approx.f32 {r}, {4}"),
                    ("cos_approx", "f32", "absolute:2e-6", "cos.approx.f32 {r}, {4}"),
                    ("ex2_moderate", "f32", "ulp:4", "ex2.approx.ftz.f32 {r}, {2}")]
    yield elementwise("approximate_f32", "Approximate functions, within the documented errors.",
                      [("f32", "f32", "special"), ("f32", "f32", "special"), ("f32", "f32", "uniform:-20,20"),
                       ("f32", "f32", "uniform:0.01,100"), ("f32", "f32", "uniform:-3.1,3.1")], approximate)

    halves = [("ex2_f16", "f16", "ulp:2", "ex2.approx.f16 {r}, {0}"),
              ("tanh_f16", "f16", "absolute:0.002", "tanh.approx.f16 {r}, {0}"),
              ("ex2_bf16", "bf16", "ulp:2", "ex2.approx.ftz.bf16 {r}, {1}"),
              ("tanh_bf16", "bf16", "absolute:0.01", "tanh.approx.bf16 {r}, {1}")]
    yield elementwise("approximate_half", "Approximate functions of f16 and bf16.",
                      [("f16", "f16", "uniform:-8,8"), ("bf16", "bf16", "uniform:-8,8")], halves)


def integers():
    operations = binary("b32", "exact", "add.u32", "sub.s32", "mul.lo.u32", "mul.hi.u32", "mul.hi.s32", "min.s32",
                        "max.s32", "min.u32", "max.u32", "and.b32", "or.b32", "xor.b32", "add.sat.s32", "sub.sat.s32")
    operations += [("div_s32", "b32", "exact", "or.b32 {t}, {1}, 1; div.s32 {r}, {0}, {t}"),
                   ("div_u32", "b32", "exact", "or.b32 {t}, {1}, 1; div.u32 {r}, {0}, {t}"),
                   ("rem_s32", "b32", "exact", "or.b32 {t}, {1}, 1; rem.s32 {r}, {0}, {t}"),
                   ("rem_u32", "b32", "exact", "or.b32 {t}, {1}, 1; rem.u32 {r}, {0}, {t}"),
                   ("sad", "b32", "exact", "sad.s32 {r}, {0}, {1}, {2}"),
                   ("mad_hi", "b32", "exact", "mad.hi.u32 {r}, {0}, {1}, {2}"),
                   ("mad_wide_s", "b64", "exact", "mad.wide.s32 {r}, {0}, {1}, {3}"),
                   ("mul_wide_u", "b64", "exact", "mul.wide.u32 {r}, {0}, {1}"),
                   ("mul_hi_u64", "b64", "exact", "mul.hi.u64 {r}, {3}, {4}"),
                   ("mul_lo_u64", "b64", "exact", "mul.lo.u64 {r}, {3}, {4}"),
                   ("lop3_96", "b32", "exact", "lop3.b32 {r}, {0}, {1}, {2}, 0x96"),
                   ("lop3_e8", "b32", "exact", "lop3.b32 {r}, {0}, {1}, {2}, 0xe8"),
                   ("lop3_ca", "b32", "exact", "lop3.b32 {r}, {0}, {1}, {2}, 0xca"),
                   ("bfe_s", "b32", "exact", "and.b32 {t}, {1}, 63; bfe.s32 {r}, {0}, {t}, 9"),
                   ("bfe_u", "b32", "exact", "and.b32 {t}, {1}, 63; bfe.u32 {r}, {0}, {t}, 9"),
                   ("bfi", "b32", "exact", "and.b32 {t}, {1}, 63; bfi.b32 {r}, {0}, {2}, {t}, 11"),
                   ("slct", "b32", "exact", "slct.u32.s32 {r}, {0}, {1}, {2}")]
    for text in ("shl.b32", "shr.u32", "shr.s32"):
        operations.append((text.replace(".", "_"), "b32", "exact", f"and.b32 {{t}}, {{1}}, 63; {text} {{r}}, {{0}}, {{t}}"))
    for text in ("shl.b64", "shr.u64", "shr.s64"):
        operations.append((text.replace(".", "_"), "b64", "exact", f"and.b32 {{t}}, {{1}}, 127; {text} {{r}}, {{3}}, {{t}}"))
    for text in ("shf.l.wrap", "shf.r.wrap", "shf.l.clamp", "shf.r.clamp"):
        operations.append((text.replace(".", "_"), "b32", "exact",
                           f"and.b32 {{t}}, {{2}}, 63; {text}.b32 {{r}}, {{0}}, {{1}}, {{t}}"))
    operations += unary("b32", "exact", "{0}", "popc.b32", "clz.b32", "brev.b32", "bfind.u32", "bfind.s32",
                        "bfind.shiftamt.u32", "not.b32", "cnot.b32", "abs.s32", "neg.s32")
    operations += unary("b32", "exact", "{3}", "popc.b64", "clz.b64")
    operations.append(("prmt", "b32", "exact", "prmt.b32 {r}, {0}, {1}, {2}"))
    for mode in ("f4e", "b4e", "rc8", "ecl", "ecr", "rc16"):
        operations.append((f"prmt_{mode}", "b32", "exact", f"prmt.b32.{mode} {{r}}, {{0}}, {{1}}, {{2}}"))
    yield elementwise("integer", "Integer arithmetic, shifts, bit fields and byte permutation.",
                      [("b32", "u32", "bits")] * 3 + [("b64", "u64", "bits")] * 2, operations)


def warps():
    operations = []
    for mode in ("up", "down", "bfly", "idx"):
        for amount, clamp in ((1, 0x1F if mode != "up" else 0), (5, 0x1F if mode != "up" else 0),
                              (3, 0x181F if mode != "up" else 0x1800)):
            operations.append((f"shfl_{mode}_{amount}_{clamp:x}", "b32", "exact",
                               f"shfl.sync.{mode}.b32 {{t}}|{{p}}, {{0}}, {amount}, {clamp}, 0xffffffff; "
                               "selp.u32 {r}, 0x80000000, 0, {p}; xor.b32 {r}, {r}, {t}"))
    operations.append(("shfl_by_lane", "b32", "exact", "shfl.sync.idx.b32 {r}, {0}, {1}, 0x1f, 0xffffffff"))
    bit = "and.b32 {t}, {0}, 1; setp.ne.u32 {p}, {t}, 0; "
    operations.append(("ballot", "b32", "exact", bit + "vote.sync.ballot.b32 {r}, {p}, 0xffffffff"))
    for mode in ("any", "all", "uni"):
        operations.append((f"vote_{mode}", "b32", "exact",
                           bit + f"vote.sync.{mode}.pred {{p}}, {{p}}, 0xffffffff; selp.u32 {{r}}, 1, 0, {{p}}"))
    operations.append(("match_any", "b32", "exact", "and.b32 {t}, {0}, 3; match.any.sync.b32 {r}, {t}, 0xffffffff"))
    operations.append(("elect", "b32", "exact", "elect.sync {t}|{p}, 0xffffffff; selp.u32 {r}, 64, 0, {p}; add.u32 {r}, {r}, {t}"))
    for text in ("add.s32", "min.s32", "max.u32", "and.b32", "or.b32", "xor.b32"):
        operations.append((f"redux_{text.replace('.', '_')}", "b32", "exact", f"redux.sync.{text} {{r}}, {{0}}, 0xffffffff"))
    operations += unary("b32", "exact", "%laneid", "mov.u32")
    yield elementwise("warp", "Exchange, votes and reductions within a warp.", [("b32", "u32", "bits")] * 2, operations)


def snippets():
    for part in (conversions, arithmetic, integers, warps):
        yield from part()
