"""Forward kernels against fp64 and PyTorch's own 16-bit math."""

import math

import torch

import fa3
from cases import ROUNDING, TORCH_DTYPES, Guarded, fill_inputs, guarded_rows, heads_of, max_difference


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


def run_case(kernel, case, device):
    """None if right, else what is wrong; and the errors."""
    op = kernel.operation
    d, causal, scale = op["head_dim"], bool(op["causal"]), op.get("scale") or op["head_dim"] ** -0.5
    dtype = TORCH_DTYPES[op["dtype"]]
    generator = torch.Generator(device=device)
    generator.manual_seed(case.seed)
    heads, kv_heads = heads_of(case, kernel)
    tensors = {}
    for name, seqlen, count, layout in (("q", case.seqlen_q, heads, case.layout), ("k", case.seqlen_k, kv_heads, case.layout),
                                        ("v", case.seqlen_k, kv_heads, case.layout), ("o", case.seqlen_q, heads, case.output)):
        tensors[name] = Guarded((case.batch, seqlen, count, d), dtype, layout, name, device)
    tensors["lse"] = guarded_rows(case, heads, "lse", device)
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
    if errors["torch"]:
        errors["ratio"] = errors["o"] / errors["torch"]
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
