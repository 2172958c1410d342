"""Forward kernels against fp64 and the precision that kernels have: PyTorch's own 16-bit math, or tensor cores' 8 bits."""

import math

import torch

import fp8
from cases import (ROUNDING, TORCH_DTYPES, Guarded, fill_inputs, guarded_factors, guarded_rows, heads_of, max_difference,
                   store)
from trial import Trial

def parts(q, k, v, causal):
    """Queries, keys and values of some heads at once, as (heads, seqlen, head dim), their indices and the mask."""
    b, sq, h, _ = q.shape
    sk, groups = k.shape[1], h // k.shape[2]
    mask = None
    if causal:
        rows = torch.arange(sq, device=q.device)[:, None]
        mask = torch.arange(sk, device=q.device)[None, :] > rows + sk - sq
    step = max(1, int(2**27 // max(1, sq * sk)))
    q, k, v = (tensor.permute(0, 2, 1, 3) for tensor in (q, k, v))
    pairs = [(i // h, i % h) for i in range(b * h)]
    for first in range(0, len(pairs), step):
        batch, head = (torch.tensor(indices, device=q.device) for indices in zip(*pairs[first : first + step]))
        yield (batch, head, head // groups), (q[batch, head], k[batch, head // groups], v[batch, head // groups]), mask


def results(q, v, dtype):
    """O, and LSE as if there were no keys."""
    b, sq, h, _ = q.shape
    return (torch.empty(b, sq, h, v.shape[3], dtype=dtype, device=q.device),
            torch.full((b, h, sq), -math.inf, dtype=torch.float64, device=q.device))


def attention(q, k, v, causal, scale, dtype, descales=None):
    """O and LSE with every step rounded to `dtype`; float64 is the reference."""
    out, lse = results(q, v, dtype)
    for (batch, head, kv_head), (qq, kk, vv), mask in parts(q, k, v, causal):
        qq, kk, vv = qq.to(dtype), kk.to(dtype), vv.to(dtype)
        if descales:
            qq, kk, vv = (tensor * fp8.factors_of(descales, name, batch, head, kv_head).to(dtype)
                          for tensor, name in zip((qq, kk, vv), fp8.DESCALES))
        scores = torch.matmul(qq, kk.transpose(1, 2)) * scale
        if mask is not None:
            scores = scores.masked_fill(mask, -math.inf)
        row = torch.logsumexp(scores.double(), dim=-1)
        probabilities = torch.softmax(scores, dim=-1).masked_fill((row == -math.inf)[..., None], 0)
        lse[batch, head] = row
        out[batch, :, head] = torch.matmul(probabilities, vv)
    return out, lse


def fp8_errors(q, k, v, causal, scale, output, descales, reference, reference_lse):
    """The largest error of O in 8-bit arithmetic, and what each LSE may be off by."""
    worst, allowed = 0.0, torch.zeros_like(reference_lse)
    if k.shape[1] == 0:
        return worst, allowed
    for (batch, head, kv_head), tensors, mask in parts(q, k, v, causal):
        scale_q, scale_k, scale_v = (fp8.factors_of(descales, name, batch, head, kv_head).double() for name in fp8.DESCALES)
        outputs, rows, rounding = fp8.attend(*tensors, mask, scale * scale_q, scale_k, scale_v)
        worst = max([worst] + [max_difference(found.to(output), reference[batch, :, head]) for found in outputs])
        differences = [(row - reference_lse[batch, head]).abs().nan_to_num(0.0) for row in rows]
        allowed[batch, head] = 2 * torch.stack(differences).amax(0) + rounding.nan_to_num(0.0)
    return worst, allowed


class Inputs:
    """Guarded tensors of a case, and what they stand for."""

    def __init__(self, kernel, case, device):
        op = kernel.operation
        self.depth, dtype = op["head_dim"], TORCH_DTYPES[op["dtype"]]
        output = TORCH_DTYPES[op.get("output_dtype", op["dtype"])]
        heads, kv_heads = heads_of(case, kernel)
        generator = torch.Generator(device=device)
        generator.manual_seed(case.seed)
        queries, keys = (case.batch, case.seqlen_q, heads, self.depth), (case.batch, case.seqlen_k, kv_heads, self.depth)
        self.tensors = {name: Guarded(sizes, kind, layout, name, device)
                        for name, sizes, kind, layout in (("q", queries, dtype, case.layout), ("k", keys, dtype, case.layout),
                                                          ("v", keys, dtype, case.layout), ("o", queries, output, case.output))}
        self.tensors["lse"] = guarded_rows(case, heads, "lse", device)
        self.values = {name: self.tensors[name].view for name in ("q", "k", "v")}
        if min(case.batch, case.seqlen_q, case.seqlen_k) > 0:
            fill_inputs(case, *self.values.values(), generator)
        if op.get("value_layout") == "columns":
            stored = fp8.columns(self.values["v"])
            self.tensors["v"] = Guarded(stored.shape, dtype, case.layout, "v", device)
            store(self.tensors["v"].view, stored)
        self.views = {name: guarded.view for name, guarded in self.tensors.items()}
        self.views["lse"] = self.views["lse"][0]
        sizes = fp8.descale_sizes(kernel, fp8.DESCALES, case.batch, (heads, case.seqlen_q), (kv_heads, case.seqlen_k))
        self.descales = fp8.make_descales(sizes, case.descales, generator, device)
        for name, values in self.descales.items():
            if fp8.has_rows(kernel, name):
                self.tensors[name] = guarded_factors(values, name, device)
                self.views[name] = self.tensors[name].view[0]
            elif name in kernel.dims:
                self.views[name] = values
            else:
                values.fill_(1)


def run_case(kernel, case, device):
    """None if right, else what is wrong; and the errors."""
    op = kernel.operation
    causal, scale = bool(op["causal"]), op.get("scale") or op["head_dim"] ** -0.5
    inputs = Inputs(kernel, case, device)
    trial = Trial(case, inputs.tensors, ("o", "lse"))
    ran, refusal = trial.launch(kernel, inputs.views, device)
    if not ran:
        return refusal, {}

    o, lse = inputs.views["o"].clone(), inputs.views["lse"].clone()
    values, output = tuple(inputs.values.values()), op.get("output_dtype", op["dtype"])
    descales = inputs.descales if fp8.is_fp8(op) else None
    reference, reference_lse = attention(*values, causal, scale, torch.float64, descales)
    finite = reference[reference.isfinite()]
    largest = float(finite.abs().max()) if finite.numel() else 0.0
    finite_lse = reference_lse[reference_lse.isfinite()]
    largest_lse = float(finite_lse.abs().max()) if finite_lse.numel() else 0.0
    errors = {"o": max_difference(o, reference), "lse": max_difference(lse, reference_lse)}
    allowed_lse = 2e-5 * max(1.0, largest_lse) + 1e-4
    if descales:
        errors["peer"], own = fp8_errors(*values, causal, scale, TORCH_DTYPES[output], descales, reference, reference_lse)
        # What rounding probabilities may cost a row is its own.
        nearest = torch.where(lse.isfinite(), lse.double().clamp(reference_lse - own, reference_lse + own), reference_lse)
        excess = max_difference(lse, nearest)
    else:
        peer, _ = attention(*values, causal, scale, TORCH_DTYPES[output])
        errors["peer"], excess = max_difference(peer, reference), errors["lse"]
    if not math.isfinite(errors["peer"]):
        errors["peer"] = 0.0
    if errors["peer"]:
        errors["ratio"] = errors["o"] / errors["peer"]
    allowed = max(2 * errors["peer"], largest * ROUNDING[output])
    wrong = []
    if not errors["o"] <= allowed:
        wrong.append(f"O is off by {errors['o']:.2e}, allowed {allowed:.2e}")
    if not excess <= allowed_lse:
        wrong.append(f"LSE is off by {errors['lse']:.2e}, {excess:.2e} beyond what rounding costs, allowed {allowed_lse:.2e}")
    empty = reference_lse == -math.inf
    if bool(empty.any()) and (bool((o.transpose(1, 2)[empty] != 0).any()) or bool((lse[empty] != -math.inf).any())):
        wrong.append("rows without a key are not O = 0, LSE = -inf")
    wrong += trial.stray_writes()
    return "; ".join(wrong) or None, errors
