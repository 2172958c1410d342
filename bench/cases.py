"""Correctness of the kernels on a GPU, against fp64 and PyTorch's own 16-bit math.

Every tensor is a view of a larger allocation full of NaN: inputs that are read
past their end poison the result, and outputs that are written past their end
change the guard. Outputs are NaN before each launch.
"""

import math
from dataclasses import dataclass, field

import torch

import fa3

TORCH_DTYPES = {"bf16": torch.bfloat16, "f16": torch.float16, "f32": torch.float32}
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
    output: str = "bshd"  # of o
    fill: str = "normal"
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
    for fill in ("large", "equal", "outlier", "nan query", "nan key"):
        yield Case("10", fill, 200, 200, fill=fill)
        yield Case("10", fill + ", ragged", 77, 300, fill=fill)


class Guarded:
    """A tensor inside an allocation full of NaN."""

    def __init__(self, sizes, dtype, layout, name, device):
        b, s, h, d = sizes
        offset = GUARD
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
            strides = ((s + 37) * (h + 1) * (d + 8), (h + 1) * (d + 8), d + 8)
        elif layout == "degenerate":  # the stride of a dimension of size 1 is meaningless
            strides = (s * h * d, h * d, 3 if h == 1 else d)
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
        self.view.fill_(float("nan"))
        integer = self.storage.view({2: torch.int16, 4: torch.int32}[self.storage.dtype.itemsize])
        view = torch.as_strided(integer, self.view.shape, self.view.stride(), self.view.storage_offset())
        view.fill_(-1)
        return bool((self.bytes == 0xFF).all())


def fill_inputs(case, q, k, v, generator):
    def normal(tensor, scale=1.0):
        sizes = [1 if stride == 0 and size > 1 else size for size, stride in zip(tensor.shape, tensor.stride())]
        values = torch.randn(sizes, generator=generator, device=tensor.device, dtype=torch.float32) * scale
        tensor[tuple(slice(size) for size in sizes)] = values.to(tensor.dtype)

    for tensor in (q, k, v):
        normal(tensor)
    depth = q.shape[3]
    if case.fill == "large":  # scores up to about 1e4
        normal(q, 50.0)
        normal(k, 50.0)
    elif case.fill == "equal":
        k.copy_(k[:, :1].expand_as(k).clone())
    elif case.fill == "outlier":  # one key dominates every row
        target = k.shape[1] // 3
        direction = torch.ones(depth, device=q.device, dtype=q.dtype)
        q.add_(direction)
        k[:, target] = direction * 8
    elif case.fill == "nan query":
        q[0, min(5, q.shape[1] - 1), 1, 3] = float("nan")
    elif case.fill == "nan key":
        k[0, min(50, k.shape[1] - 1), 0, 3] = float("nan")


def attention(q, k, v, causal, scale, dtype):
    """O and LSE with every step rounded to `dtype`; float64 is the reference."""
    b, sq, h, d = q.shape
    sk, groups = k.shape[1], h // k.shape[2]
    out = torch.empty(b, sq, h, d, dtype=dtype, device=q.device)
    lse = torch.empty(b, h, sq, dtype=torch.float64, device=q.device)
    offset = sk - sq
    mask = None
    if causal:
        rows = torch.arange(sq, device=q.device)[:, None]
        mask = torch.arange(sk, device=q.device)[None, :] > rows + offset
    step = max(1, int(2**27 // max(1, sq * sk)))  # (batch, head) pairs at once
    q2, k2, v2 = (t.permute(0, 2, 1, 3) for t in (q, k, v))
    pairs = [(i // h, i % h) for i in range(b * h)]
    for first in range(0, len(pairs), step):
        part = pairs[first : first + step]
        bi = torch.tensor([p[0] for p in part], device=q.device)
        hi = torch.tensor([p[1] for p in part], device=q.device)
        qq, kk, vv = q2[bi, hi].to(dtype), k2[bi, hi // groups].to(dtype), v2[bi, hi // groups].to(dtype)
        scores = torch.matmul(qq, kk.transpose(1, 2)) * scale
        if mask is not None:
            scores = scores.masked_fill(mask, float("-inf"))
        row = torch.logsumexp(scores.double(), dim=-1)
        probabilities = torch.softmax(scores, dim=-1)
        if mask is not None or sk == 0:
            empty = row == float("-inf")
            probabilities = probabilities.masked_fill(empty[..., None], 0)
        lse[bi, hi] = row
        out[bi, :, hi] = torch.matmul(probabilities, vv)
    return out, lse


def max_difference(a, b):
    """Largest difference; infinite where only one of the two is NaN or infinite."""
    if a.numel() == 0:
        return 0.0
    a, b = a.double(), b.double()
    same = (a == b) | (a.isnan() & b.isnan())
    difference = torch.where(same, torch.zeros_like(a), (a - b).abs())
    return float(torch.where(difference.isnan(), torch.full_like(difference, math.inf), difference).max())


def run_case(kernel, case, device):
    """None if right, else what is wrong; and the errors."""
    op = kernel.operation
    d, causal, scale = op["head_dim"], bool(op["causal"]), op.get("scale") or op["head_dim"] ** -0.5
    dtype = TORCH_DTYPES[op["dtype"]]
    generator = torch.Generator(device=device)
    generator.manual_seed(case.seed)
    heads, kv_heads = case.heads, case.kv_heads
    fixed_q, fixed_kv = kernel.dims["q"][2], kernel.dims["k"][2]
    if isinstance(fixed_q, int) or isinstance(fixed_kv, int):
        heads = fixed_q if isinstance(fixed_q, int) else fixed_kv
        kv_heads = fixed_kv if isinstance(fixed_kv, int) else heads
    tensors = {}
    for name, seqlen, count, layout in (("q", case.seqlen_q, heads, case.layout), ("k", case.seqlen_k, kv_heads, case.layout),
                                        ("v", case.seqlen_k, kv_heads, case.layout), ("o", case.seqlen_q, heads, case.output)):
        tensors[name] = Guarded((case.batch, seqlen, count, d), dtype, layout, name, device)
    # (batch, heads, seqlen) through the same machinery: heads and rows as the last two.
    tensors["lse"] = Guarded((1, case.batch, heads, case.seqlen_q), torch.float32, "bshd", "lse", device)
    views = {name: guarded.view for name, guarded in tensors.items()}
    views["lse"] = views["lse"][0]
    if min(case.batch, case.seqlen_q, case.seqlen_k) > 0:
        fill_inputs(case, views["q"], views["k"], views["v"], generator)
    inputs_before = {name: tensors[name].bytes.clone() for name in "qkv"} if case.layout != "far" else {}

    allocate = lambda size: torch.full((size,), 0xFF, dtype=torch.uint8, device=device)
    try:
        problem = kernel.problem(views, allocate)
        problem.launch(torch.cuda.current_stream().cuda_stream)
        torch.cuda.synchronize()
    except fa3.Failure as failure:
        if case.refused and failure.status == fa3.UNSUPPORTED and case.refused in str(failure):
            return None, {}
        return f"refused: {failure}", {}
    if case.refused:
        return "accepted, but should be refused", {}

    o, lse = views["o"].clone(), views["lse"].clone()
    reference, reference_lse = attention(views["q"], views["k"], views["v"], causal, scale, torch.float64)
    peer, _ = attention(views["q"], views["k"], views["v"], causal, scale, dtype)
    finite = reference[reference.isfinite()]
    largest = float(finite.abs().max()) if finite.numel() else 0.0
    finite_lse = reference_lse[reference_lse.isfinite()]
    largest_lse = float(finite_lse.abs().max()) if finite_lse.numel() else 0.0
    errors = {"o": max_difference(o, reference), "torch": max_difference(peer, reference),
              "lse": max_difference(lse, reference_lse)}
    if not math.isfinite(errors["torch"]):
        errors["torch"] = 0.0
    allowed = max(2 * errors["torch"], largest * ROUNDING[op["dtype"]])
    allowed_lse = 2e-5 * max(1.0, largest_lse) + 1e-4
    wrong = []
    if not errors["o"] <= allowed:
        wrong.append(f"O is off by {errors['o']:.2e}, allowed {allowed:.2e}")
    if not errors["lse"] <= allowed_lse:
        wrong.append(f"LSE is off by {errors['lse']:.2e}, allowed {allowed_lse:.2e}")
    empty = reference_lse == -math.inf
    if bool(empty.any()) and (bool((o.transpose(1, 2)[empty] != 0).any()) or bool((lse[empty] != -math.inf).any())):
        wrong.append("rows without a key are not O = 0, LSE = -inf")
    for name, before in inputs_before.items():
        if not torch.equal(before, tensors[name].bytes):
            wrong.append(f"{name} was written")
    for name in ("o", "lse"):
        if not tensors[name].guard_intact():
            wrong.append(f"written outside of {name}")
    return "; ".join(wrong) or None, errors


def check(kernels, groups, device="cuda"):
    """Runs the cases of `groups` (all if empty) on every forward kernel."""
    results = []
    for name, kernel in kernels.items():
        if kernel.operation["kind"] != "forward" or kernel.operation["dtype"] not in ROUNDING:
            continue
        worst = 0.0
        failures = 0
        count = 0
        for case in all_cases():
            if groups and case.group not in groups:
                continue
            count += 1
            wrong, errors = run_case(kernel, case, device)
            if errors.get("torch"):
                worst = max(worst, errors["o"] / errors["torch"])
            if wrong:
                failures += 1
                print(f"  WRONG {name}, group {case.group}, {case.name}: {wrong}", flush=True)
            results.append(dict(kernel=name, group=case.group, case=case.name, wrong=wrong, **errors))
        print(f"  {name:32} {count - failures}/{count} right, largest error / PyTorch's {worst:.2f}", flush=True)
    return results
