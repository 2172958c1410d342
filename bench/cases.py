"""The problems that the kernels are checked with, and their inputs.

Every tensor is a view of a larger allocation full of NaN: inputs that are read
past their end poison the result, and outputs that are written past their end
change the guard. Outputs are NaN before each launch.
"""

import math
from dataclasses import dataclass, field

import torch

import fp8

TORCH_DTYPES = {"bf16": torch.bfloat16, "f16": torch.float16, "f32": torch.float32, **fp8.DTYPES}
HALF, FP8 = ("bf16", "f16"), tuple(fp8.DTYPES)
# Half a unit in the last place, relative: what rounding the result alone may cost.
ROUNDING = {"bf16": 2.0**-8, "f16": 2.0**-11}
GUARD = 4096  # elements before and after each tensor


@dataclass
class Case:
    group: str
    name: str
    seqlen_q: int
    seqlen_k: int
    batch: int = 2
    heads: int = 4
    kv_heads: int = 2
    layout: str = "bshd"  # of q, k and v
    output: str = "bshd"  # of o and of the gradients
    fill: str = "normal"
    kinds: tuple = ("forward", "backward")
    dtypes: tuple = (*HALF, *FP8)
    descales: tuple = (1.0, 1.0)  # their range
    refused: str = ""  # part of the reason why the runtime must refuse this
    seed: int = field(default=0)


def all_cases():
    shapes = [(1, 1), (1, 128), (2, 1), (64, 128), (113, 203), (128, 217), (239, 1), (799, 3), (1023, 1024),
              (1024, 1023), (2048, 2048), (4224, 4224)]
    for q, k in shapes:
        yield Case("1", f"{q}x{k}", q, k)
    for q, k in [(203, 113), (257, 1), (1000, 64), (64, 1000), (129, 640)]:
        yield Case("2", f"{q}x{k}", q, k)
    for q, k, batch in [(0, 64, 2), (64, 0, 2), (64, 64, 0)]:
        yield Case("3", f"{q}x{k}, batch {batch}", q, k, batch=batch)
    for ratio in (1, 2, 3, 4, 7, 8, 16):
        yield Case("5", f"{ratio} queries a key head", 133, 197, heads=2 * ratio, kv_heads=2)
    yield Case("5", "one key head", 133, 197, heads=8, kv_heads=1)
    yield Case("5", "65540 heads", 5, 7, batch=1, heads=65540, kv_heads=65540)
    yield Case("5", "batch 65540", 5, 7, batch=65540, heads=1, kv_heads=1)
    yield Case("6", "offsets beyond 2^31", 150, 203, batch=3, layout="far", output="far")
    for layout in ("bhsd", "packed", "sliced", "padded", "degenerate", "repeated", "mixed"):
        heads = dict(heads=4, kv_heads=1) if layout == "degenerate" else dict(heads=4, kv_heads=4)
        output = layout if layout in ("bhsd", "sliced", "padded") else "bshd"
        yield Case("7", layout, 150, 203, layout=layout, output=output, **heads)
    yield Case("7", "strides not a multiple of 16 bytes", 150, 203, layout="odd", refused="16")
    yield Case("9", "address not a multiple of 16 bytes", 150, 203, layout="unaligned", refused="16")
    for q, k in [(129, 127), (65, 191), (300, 129)]:
        yield Case("8", f"poisoned padding {q}x{k}", q, k, layout="padded", output="padded")
    for layout in ("sum", "mixed"):  # gradients of a sum: all rows of dO in one place
        yield Case("7", f"{layout}, gradients", 150, 203, layout=layout, output="bhsd", kinds=("backward",))
    for fill in ("large", "equal", "outlier", "nan query", "nan key"):
        yield Case("10", fill, 200, 200, fill=fill)
        yield Case("10", fill + ", ragged", 77, 300, fill=fill)
    # Every score is about -500, so that P of a key that is not there would be infinite.
    for q, k in [(64, 64), (192, 192), (320, 192), (192, 320)]:
        yield Case("11", f"low LSE, {q}x{k}", q, k, fill="low")
    for q, k in [(150, 203), (203, 150)]:
        yield Case("12", f"LSE in the loss, {q}x{k}", q, k, kinds=("backward",))
    for q, k in [(200, 200), (77, 300), (1024, 1024)]:
        yield Case("13", f"descales, {q}x{k}", q, k, dtypes=FP8, descales=(0.01, 2.0))
        yield Case("13", f"outliers, {q}x{k}", q, k, dtypes=FP8, descales=(0.01, 2.0), fill="outliers")
        yield Case("13", f"sink, {q}x{k}", q, k, dtypes=FP8, fill="sink")
    long = dict(batch=1, heads=2, kv_heads=1, dtypes=FP8)
    yield Case("13", "128k keys", 150, 131072, **long)
    yield Case("13", "sink, 128k keys", 150, 131072, fill="sink", descales=(0.5, 2.0), **long)


class Guarded:
    """A tensor inside an allocation full of NaN."""

    def __init__(self, sizes, dtype, layout, name, device):
        b, s, h, d = sizes
        offset, pad = GUARD, 16 // dtype.itemsize  # the least that keeps rows aligned
        if layout == "sum":
            layout = "one row" if name == "do" else "bshd"
        if layout == "packed" and name not in ("q", "k", "v"):
            layout = "bshd"
        if layout == "mixed":
            layout = {"q": "bshd", "k": "bhsd", "v": "padded"}.get(name, "bshd")
        if layout in ("bshd", "repeated", "unaligned"):
            strides = (s * h * d, h * d, d)
        elif layout == "bhsd":
            strides = (h * s * d, d, s * d)
        elif layout == "packed":  # (batch, seqlen, 3, heads, head dim)
            strides = (s * 3 * h * d, 3 * h * d, d)
            offset += {"q": 0, "k": 1, "v": 2}[name] * h * d
        elif layout == "sliced":  # the first columns of a wider head
            strides = (s * h * (d + 64), h * (d + 64), d + 64)
        elif layout == "padded":  # more rows and heads than the tensor has
            strides = ((s + 37) * (h + 1) * (d + pad), (h + 1) * (d + pad), d + pad)
        elif layout == "one row":
            strides = (0, 0, 0)
        elif layout == "degenerate":  # the stride of a dimension of size 1 is meaningless
            strides = (s * h * d, h * d, 3 if h == 1 else d)
        elif layout == "aligned":  # rows begin where TMA may read
            aligned = -(-d // pad) * pad
            strides = (s * h * aligned, h * aligned, aligned)
        elif layout == "odd":
            strides = (s * h * (d + 1), h * (d + 1), d + 1)
        elif layout == "far":
            strides = (2**30 + 1024, h * d, d)
        else:
            raise ValueError(layout)
        if layout == "repeated" and name in ("k", "v"):
            strides = (0, *strides[1:])
        if layout == "unaligned":
            offset += 1
        strides = (*strides, 1)
        span = 1 + sum((size - 1) * stride for size, stride in zip(sizes, strides)) if min(sizes) > 0 else 0
        self.bytes = torch.full(((offset + span + GUARD) * dtype.itemsize,), 0xFF, dtype=torch.uint8, device=device)
        self.storage = self.bytes.view(dtype)
        self.view = torch.as_strided(self.storage, sizes, strides, offset)

    def guard_intact(self):
        """Whether nothing but the view was written. Overwrites the view."""
        integer = self.storage.view({1: torch.int8, 2: torch.int16, 4: torch.int32}[self.storage.dtype.itemsize])
        view = torch.as_strided(integer, self.view.shape, self.view.stride(), self.view.storage_offset())
        view.fill_(-1)
        return bool((self.bytes == 0xFF).all())


def distinct(tensor):
    """Without what a stride of 0 repeats."""
    if tensor.numel() == 0:
        return tensor
    return tensor[tuple(slice(1) if stride == 0 and size > 1 else slice(None)
                        for size, stride in zip(tensor.shape, tensor.stride()))]


def normal(tensor, generator):
    """Normal values for a tensor, in fp32."""
    return torch.randn(distinct(tensor).shape, generator=generator, device=tensor.device, dtype=torch.float32)


def store(tensor, values):
    """Rounds values to a tensor's type and writes them, once where a stride of 0 repeats them."""
    target = distinct(tensor)
    values = values[tuple(slice(size) for size in target.shape)]
    target.copy_(fp8.rounded(values, tensor.dtype) if tensor.dtype in fp8.DTYPES.values() else values.to(tensor.dtype))


def fill_normal(tensor, generator):
    store(tensor, normal(tensor, generator))


def fill_inputs(case, q, k, v, generator):
    inputs = q, k, v
    q, k, v = (normal(tensor, generator) for tensor in inputs)
    depth = q.shape[3]
    if case.fill == "large":  # scores up to about 1e4
        q, k = q * 50, k * 50
    elif case.fill == "equal":
        k = k[:, :1].expand_as(k).clone()
    elif case.fill == "outlier":  # one key dominates every row
        q += 1
        k[:, k.shape[1] // 3] = 8
    elif case.fill == "outliers":  # one channel
        for tensor in (q, k, v):
            chosen = torch.rand(tensor.shape[:-1], generator=generator, device=tensor.device) < 1e-3
            tensor[..., depth // 2] += chosen * 10 * torch.randn(chosen.shape, generator=generator, device=tensor.device)
    elif case.fill == "sink":  # the first key has 2^12 times the probability of another
        q[..., 0] = 8
        k[..., 0] = 0
        k[:, 0, :, 0] = 8.5 * depth**0.5 / 8
    elif case.fill == "low":
        q += 22.0 * depth**-0.25
        k -= 22.0 * depth**-0.25
    elif case.fill == "nan query":
        q[0, min(5, q.shape[1] - 1), 1, 3] = math.nan
    elif case.fill == "nan key":
        k[0, min(50, k.shape[1] - 1), 0, 3] = math.nan
    for tensor, values in zip(inputs, (q, k, v)):
        store(tensor, values)


def heads_of(case, kernel):
    """Heads of queries and of keys; the kernel may have fixed them."""
    heads, kv_heads = case.heads, case.kv_heads
    fixed_q, fixed_kv = kernel.dims["q"][2], kernel.dims["k"][2]
    if isinstance(fixed_q, int) or isinstance(fixed_kv, int):
        heads = fixed_q if isinstance(fixed_q, int) else fixed_kv
        kv_heads = fixed_kv if isinstance(fixed_kv, int) else heads
    return heads, kv_heads


def guarded_rows(case, heads, name, device):
    """(batch, heads, seqlen) through the same machinery: heads and rows as the last two dimensions."""
    return Guarded((1, case.batch, heads, case.seqlen_q), torch.float32, "bshd", name, device)


def guarded_factors(values, name, device):
    """Factors of rows, (batch, heads, rows), likewise. TMA reads those of keys."""
    guarded = Guarded((1, *values.shape), torch.float32, "aligned" if name == "k_descale" else "bshd", name, device)
    guarded.view[0].copy_(values)
    return guarded


def max_difference(a, b):
    """Largest difference; infinite where only one of the two is NaN or infinite."""
    if a.numel() == 0:
        return 0.0
    a, b = a.double(), b.double()
    same = (a == b) | (a.isnan() & b.isnan())
    difference = torch.where(same, torch.zeros_like(a), (a - b).abs())
    return float(torch.where(difference.isnan(), torch.full_like(difference, math.inf), difference).max())
