"""Inputs of the conformance snippets, and comparison of their outputs.

Everything is computed from the snippet's name with an own generator, so that
two machines with two versions of Python use the same bits.
"""

import bisect
import math
import struct
import zlib

MASK = (1 << 64) - 1


class Random:
    """splitmix64."""

    def __init__(self, name):
        self.state = zlib.crc32(name.encode()) * 0x9E3779B97F4A7C15 & MASK

    def word(self):
        self.state = self.state + 0x9E3779B97F4A7C15 & MASK
        z = self.state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
        return z ^ z >> 31

    def uniform(self, low, high):
        return low + (high - low) * (self.word() >> 11) / (1 << 53)


def to_f32(value):
    return struct.unpack("<I", struct.pack("<f", value))[0]


def from_f32(bits):
    return struct.unpack("<f", struct.pack("<I", bits))[0]


def to_bf16(value):
    bits = to_f32(value)
    return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16


def to_f16(value):
    return struct.unpack("<H", struct.pack("<e", value))[0]


def fp8_codes(exponent_bits, bias, codes):
    """The value of every code of an fp8 type that is not negative."""
    mantissa_bits = 7 - exponent_bits
    table = []
    for code in range(codes):
        exponent, mantissa = code >> mantissa_bits, code & (1 << mantissa_bits) - 1
        scale = 2.0 ** (max(exponent, 1) - bias - mantissa_bits)
        table.append((mantissa + ((1 << mantissa_bits) if exponent else 0)) * scale)
    return table


E4M3, E5M2 = fp8_codes(4, 7, 0x7F), fp8_codes(5, 15, 0x7C)


def to_fp8(value, table):
    """The code of the nearest value; of two, the larger one."""
    above = min(bisect.bisect_left(table, abs(value)), len(table) - 1)
    below = max(above - 1, 0)
    code = below if abs(value) - table[below] < table[above] - abs(value) else above
    return code | (0x80 if math.copysign(1, value) < 0 else 0)


ENCODERS = {
    "f32": (4, to_f32),
    "bf16": (2, to_bf16),
    "f16": (2, to_f16),
    "e4m3": (1, lambda v: to_fp8(v, E4M3)),
    "e5m2": (1, lambda v: to_fp8(v, E5M2)),
    "u8": (1, int),
    "u16": (2, int),
    "u32": (4, lambda v: int(v) & 0xFFFFFFFF),
    "s32": (4, lambda v: int(v) & 0xFFFFFFFF),
    "u64": (8, int),
}

# Bits that are all ones in infinity and NaN, and in nothing else.
NONFINITE = {"f32": 0x7F800000, "bf16": 0x7F80, "f16": 0x7C00, "e4m3": 0x7F, "e5m2": 0x7C}

# Values at which conversions and arithmetic change their behaviour.
SPECIAL_F32 = [
    0x00000000, 0x80000000, 0x3F800000, 0xBF800000, 0x7F800000, 0xFF800000, 0x7FC00000, 0x7F800001, 0xFFFFFFFF,
    0x00000001, 0x007FFFFF, 0x00800000, 0x80800000, 0x7F7FFFFF, 0xFF7FFFFF, 0x3F800001, 0x3F7FFFFF, 0x3F808000,
    0x3F818000, 0x3F80FFFF, 0x477FE000, 0x477FF000, 0x477FEFFF, 0x38800000, 0x33800000, 0x33800001, 0x33000000,
    0x43E00000, 0x43E80000, 0x43E7FFFF, 0x43F00000, 0x3C800000, 0x3B000000, 0x3A800000, 0x3A800001, 0x47600000,
    0x47700000, 0x37800000, 0x37000000, 0x4B000000, 0x4B000001, 0x4F000000, 0xCF000000, 0x4F800000, 0x5F000000,
    0x3F000000, 0x3FC00000, 0x40200000, 0xBF000000, 0xBFC00000, 0x42FE0000, 0xC2FC0000, 0xC3160000, 0x43000000,
    0x322BCC77, 0x3EAAAAAB, 0x40490FDB, 0x3F317218, 0x3DCCCCCD, 0x00400000, 0x80400000, 0x00200000, 0x7F000000,
    0x7E800000,
]


def special_f32(random, count):
    """The special values, values of moderate size, and random bits."""
    words = list(SPECIAL_F32[:count])
    while len(words) < count:
        choice = len(words) % 4
        if choice == 0:
            words.append(random.word() & 0xFFFFFFFF)
        elif choice == 1:
            words.append(to_f32(random.uniform(-8, 8)))
        elif choice == 2:
            words.append(to_f32(random.uniform(-500, 500)))
        else:
            words.append(to_f32(random.uniform(-1, 1) * 2.0 ** (random.word() % 60 - 40)))
    return words


def float_word(random, kind):
    """Random bits of a floating-point type, neither infinity nor NaN."""
    size = ENCODERS[kind][0]
    while True:
        word = random.word() & (1 << 8 * size) - 1
        if not word & NONFINITE[kind] == NONFINITE[kind]:
            return word


def spread_word(random, kind, low, high):
    """A random sign and significand, and an exponent from `low` to `high`."""
    sign = random.word() % 2 * 2 - 1
    return ENCODERS[kind][1](sign * random.uniform(1, 2) * 2.0 ** (low + random.word() % (high - low + 1)))


def probe_matrix(columns, top):
    """64 rows that show which bits an accumulation keeps.

    Row r adds 2^p, small terms and -2^p, with p from the row: what is left of
    the small terms tells where they were cut off and how they were rounded.
    """
    rows = []
    for row in range(64):
        power = 2.0 ** min(row // 2, top)
        small = 1.0 if row % 2 == 0 else 1.5
        values = [0.0] * columns
        values[0], values[1], values[2], values[3] = power, small, -power, 0.25
        values[columns - 1] = 0.5
        rows.append(values)
    return [value for row in rows for value in row]


def encode(kind, values):
    size, convert = ENCODERS[kind]
    return b"".join(convert(value).to_bytes(size, "little") for value in values)


def make_input(kind, generator, count, seed):
    """The bytes of an input: `count` elements of type `kind`."""
    random = Random(seed)
    size = ENCODERS[kind][0]
    name, _, argument = generator.partition(":")
    if name == "bits":
        return b"".join((random.word() & (1 << 8 * size) - 1).to_bytes(size, "little") for _ in range(count))
    if name in ("finite", "sparse", "nonfinite", "spread"):
        words = []
        for _ in range(count):
            if name == "spread":
                words.append(spread_word(random, kind, *map(int, argument.split(","))))
                continue
            word, choice = float_word(random, kind), random.word() % 32
            if name == "sparse" and choice < 24:
                word &= 1 << 8 * size - 1
            elif name == "nonfinite" and random.word() % 8 == 0 and choice < 2:
                word = word | NONFINITE[kind] if choice else word & 1 << 8 * size - 1 | NONFINITE[kind]
            words.append(word)
        return b"".join(word.to_bytes(size, "little") for word in words)
    if name == "special":
        return b"".join(word.to_bytes(4, "little") for word in special_f32(random, count))
    if name == "index":
        return encode(kind, [i % (1 << 8 * size) for i in range(count)])
    if name == "integers":
        limit = int(argument)
        return encode(kind, [float(random.word() % (2 * limit + 1)) - limit for _ in range(count)])
    if name == "uniform":
        low, high = map(float, argument.split(","))
        return encode(kind, [random.uniform(low, high) for _ in range(count)])
    if name == "ones":
        return encode(kind, [1.0] * count)
    if name == "probe":
        columns, top = map(int, argument.split(","))
        return encode(kind, probe_matrix(columns, top))
    raise ValueError(f"unknown generator {generator}")


def ordered(bits, width):
    """Bits of a float as an integer that grows by one from float to float."""
    sign = 1 << width - 1
    return -(bits & sign - 1) if bits & sign else bits


FLOATS = {"f32": (4, 0x7F800000), "f16": (2, 0x7C00), "bf16": (2, 0x7F80)}


def to_float(kind, bits):
    if kind == "f16":
        return struct.unpack("<e", struct.pack("<H", bits))[0]
    return from_f32(bits << 16 if kind == "bf16" else bits)


def compare(kind, tolerance, expected, actual):
    """Compares two dumps of one output. Returns (mismatches, worst, example).

    Tolerances: exact; ulp:N; absolute:X; mixed:X, absolute below one and relative
    above it.
    """
    if tolerance == "exact":
        size = ENCODERS[kind][0]
        bad = [i for i in range(0, len(expected), size) if expected[i:i + size] != actual[i:i + size]]
        if len(expected) != len(actual):
            bad.append(min(len(expected), len(actual)))
        example = ""
        if bad:
            i = bad[0]
            example = f"[{i // size}] expected 0x{expected[i:i + size][::-1].hex()}, got 0x{actual[i:i + size][::-1].hex()}"
        return len(bad), len(bad), example
    size, infinity = FLOATS[kind]
    unit, _, bound = tolerance.partition(":")
    bound = float(bound)
    words = [tuple(int.from_bytes(data[i:i + size], "little") for data in (expected, actual))
             for i in range(0, len(expected), size)]
    worst, bad, example = 0.0, 0, ""
    for i, (e, a) in enumerate(words):
        if e == a:
            continue
        e_nan = (e & ~(1 << 8 * size - 1)) > infinity
        a_nan = (a & ~(1 << 8 * size - 1)) > infinity
        if e_nan and a_nan:
            continue
        if e_nan or a_nan:
            error = math.inf
        elif unit == "ulp":
            error = abs(ordered(e, 8 * size) - ordered(a, 8 * size))
        else:
            error = abs(to_float(kind, e) - to_float(kind, a))
            if unit == "mixed":
                error /= max(1.0, abs(to_float(kind, e)))
        worst = max(worst, error)
        if not error <= bound:
            bad += 1
            example = example or f"[{i}] expected {to_float(kind, e)!r}, got {to_float(kind, a)!r}"
    return bad, worst, example
