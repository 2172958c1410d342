"""Backward kernels against fp64 and the precision that kernels have: PyTorch's own 16-bit math, which autograd
differentiates, or tensor cores' 8 bits."""

import math

import torch

import fp8
import fp8_backward
from cases import ROUNDING, TORCH_DTYPES, Case, Guarded, fill_inputs, fill_normal, guarded_rows, heads_of, max_difference
from check_forward import attention
from fp8_backward import parts_of
from trial import Trial

REPEATS = 200
REPEATED = ((1023, 1024), (2048, 2048))
GRADIENTS = {"dq": "q", "dk": "k", "dv": "v"}
# What fp32 may cost where large products cancel to nothing, relative to the products.
CANCELLATION = 2.0**-20
# What fp32 scores and an fp32 LSE cannot express, relative to the largest: a few roundings
# of either. A probability, and so a gradient, is wrong by as much relative to itself.
EXPONENT = 2.0**-21
# How much more rms error 8-bit gradients may have than in_precision, which rounds the same numbers to the same type:
# the largest error alone says little of a tensor's small elements.
RMS = 1.25


def differentiate(tensors, causal, scale, dtype):
    """O, LSE, dQ, dK and dV with every step in `dtype`; float64 is the reference."""
    q, k, v, do, dlse = (tensors.get(name) for name in ("q", "k", "v", "do", "dlse"))
    (b, sq, h, d), sk, kv = q.shape, k.shape[1], k.shape[2]
    group = h // kv
    lse = torch.full((b, h, sq), -math.inf, dtype=torch.float64, device=q.device)
    results = {"o": torch.zeros_like(q, dtype=dtype, memory_format=torch.contiguous_format), "lse": lse}
    for name, of in GRADIENTS.items():
        results[name] = torch.zeros_like(tensors[of], dtype=dtype, memory_format=torch.contiguous_format)
    first = max(0, sq - sk) if causal else 0  # the rows before have no key
    if min(b, sq, sk) == 0:
        return results
    mask = None
    if causal:
        rows = torch.arange(first, sq, device=q.device)[:, None]
        mask = torch.arange(sk, device=q.device)[None, :] > rows + (sk - sq)

    def queries(tensor):  # (batch, key head, group, seqlen, ...)
        return tensor.unflatten(2, (kv, group)).permute(0, 2, 3, 1, 4)[:, :, :, first:]

    def query_rows(tensor):
        return tensor.unflatten(1, (kv, group))[..., first:]

    def keys(tensor):
        return tensor.permute(0, 2, 1, 3).unsqueeze(2)

    for pair in parts_of(b, kv, group * (sq - first) * sk):
        at = tuple(torch.tensor(indices, device=q.device) for indices in pair)
        qq, kk, vv = (t[at].to(dtype).detach().requires_grad_() for t in (queries(q), keys(k), keys(v)))
        scores = torch.matmul(qq, kk.transpose(-1, -2)) * scale
        if mask is not None:
            scores = scores.masked_fill(mask, -math.inf)
        out = torch.matmul(torch.softmax(scores, dim=-1), vv)
        row = torch.logsumexp(scores, dim=-1)
        outputs, incoming = [out], [queries(do)[at].to(dtype)]
        if dlse is not None:
            outputs, incoming = [out, row], [*incoming, query_rows(dlse)[at].to(dtype)]
        dq, dk, dv = torch.autograd.grad(outputs, (qq, kk, vv), incoming)
        queries(results["o"])[at] = out.detach()
        query_rows(lse)[at] = row.detach().double()
        queries(results["dq"])[at] = dq
        keys(results["dk"])[at] = dk
        keys(results["dv"])[at] = dv
    return results


def cancellation(tensors, name, scale):
    """The absolute error that fp32 may leave in a gradient that should be 0."""
    def largest(tensor, length=False):
        tensor = tensor.float().nan_to_num()
        return float((tensor.norm(dim=-1) if length else tensor.abs()).max()) if tensor.numel() else 0.0

    q, k, v, do = (tensors[part] for part in ("q", "k", "v", "do"))
    rows = math.sqrt(q.shape[1] * (q.shape[2] // max(1, k.shape[2])))
    factor = {"dq": scale * largest(k), "dk": scale * largest(q) * rows, "dv": 0.0, "ds_amax": 1.0}[name]
    return CANCELLATION * largest(do, True) * largest(v, True) * factor


def output_type(op):
    return op.get("output_dtype", op["dtype"])


def outputs_of(kernel):
    return tuple(name for name in (*GRADIENTS, "ds_amax") if name in kernel.dims)


def make(case, kernel, device):
    """Guarded tensors, with random inputs."""
    op = kernel.operation
    d = op["head_dim"]
    heads, kv_heads = heads_of(case, kernel)
    generator = torch.Generator(device=device)
    generator.manual_seed(case.seed)
    tensors = {}
    queries, keys = (case.batch, case.seqlen_q, heads, d), (case.batch, case.seqlen_k, kv_heads, d)
    for name, sizes, layout in (("q", queries, case.layout), ("k", keys, case.layout), ("v", keys, case.layout),
                                ("o", queries, case.output),
                                ("do", queries, case.layout if case.layout == "sum" else case.output),
                                ("dq", queries, case.output), ("dk", keys, case.output), ("dv", keys, case.output)):
        tensors[name] = Guarded(sizes, TORCH_DTYPES[kernel.dtypes[name]], layout, name, device)
    for name in ("lse", "dlse"):
        if name in kernel.dims:
            tensors[name] = guarded_rows(case, heads, name, device)
    views = {name: guarded.view[0] if name in ("lse", "dlse") else guarded.view for name, guarded in tensors.items()}
    for name in ("ds_scale", "ds_amax"):
        if name in kernel.dims:
            tensors[name] = Guarded((1, 1, case.batch, kv_heads), torch.float32, "bshd", name, device)
            views[name] = tensors[name].view[0, 0]
    if min(case.batch, case.seqlen_q, case.seqlen_k) > 0:
        fill_inputs(case, views["q"], views["k"], views["v"], generator)
    else:
        for name in ("q", "k", "v"):
            fill_normal(views[name], generator)
    for name in ("do", "dlse"):
        if name in views:
            fill_normal(views[name], generator)
    names = [name for name in fp8_backward.DESCALES if name in kernel.dims]
    views.update(fp8.make_descales(dict.fromkeys(names, (case.batch, kv_heads)), case.descales, generator, device))
    return tensors, views


def prepare(op, views):
    """Gives the inputs that depend on others their values, and returns the gradients in fp64."""
    causal, scale = bool(op["causal"]), op.get("scale") or op["head_dim"] ** -0.5
    if not fp8.is_fp8(op):
        reference = differentiate(views, causal, scale, torch.float64)
        views["o"].copy_(reference["o"])
        views["lse"].copy_(reference["lse"])
        return reference
    descales = fp8_backward.descales_of(views, views["q"].device)
    o, lse = attention(views["q"], views["k"], views["v"], causal, scale, torch.float64, descales)
    views["o"].copy_(o)
    views["lse"].copy_(lse)
    reference = fp8_backward.gradients(views, op, as_kernels=False)
    if "ds_scale" in views:
        views["ds_scale"].copy_(fp8_backward.choose_scales(reference["ds_amax"]))
    return reference


def in_precision(op, views):
    """The gradients in the precision of kernels."""
    if fp8.is_fp8(op):
        return fp8_backward.gradients(views, op, as_kernels=True)
    return differentiate(views, bool(op["causal"]), op.get("scale") or op["head_dim"] ** -0.5, TORCH_DTYPES[op["dtype"]])


def spread_nan(case, views, results):
    """NaN may reach everything that shares its key head; leaves that out of the comparison."""
    if not case.fill.startswith("nan"):
        return
    group = views["q"].shape[2] // views["k"].shape[2]
    head = 1 if case.fill == "nan query" else 0
    kv_head = head // group if case.fill == "nan query" else head
    results["dq"][0, :, kv_head * group : (kv_head + 1) * group] = 0
    results["dk"][0, :, kv_head] = 0
    results["dv"][0, :, kv_head] = 0
    if "ds_amax" in results:
        results["ds_amax"][0, kv_head] = 0


def rms(a, b):
    """The rms difference; 0 where both are NaN."""
    difference = torch.where(a.isnan() & b.isnan(), torch.zeros_like(a, dtype=torch.float64), a.double() - b.double())
    return float(difference.square().mean().sqrt()) if difference.numel() else 0.0


def compare_largest(factors, exponent, reference, peer, found):
    """What is wrong with the largest gradients of scores."""
    error = max_difference(found, reference)
    largest = float(reference.nan_to_num().abs().max()) if reference.numel() else 0.0
    allowed = 2 * max_difference(peer, reference) + cancellation(factors, "ds_amax", 1.0)
    allowed += (EXPONENT * exponent + CANCELLATION) * largest
    return [] if error <= allowed else [f"ds_amax is off by {error:.2e}, allowed {allowed:.2e}"]


def compare(case, op, views, reference, peer, found):
    """What is wrong, and the errors."""
    scale = op.get("scale") or op["head_dim"] ** -0.5
    wrong, errors, ratios = [], {}, []
    rounding = ROUNDING[output_type(op)]
    factors = fp8_backward.dequantized(views) if fp8.is_fp8(op) else views
    exponents = views["lse"][views["lse"].isfinite()]
    exponent = float(exponents.abs().max()) if exponents.numel() else 0.0
    for name in GRADIENTS:
        error = max_difference(found[name], reference[name])
        theirs = max_difference(peer[name], reference[name])
        theirs = theirs if math.isfinite(theirs) else 0.0
        errors[name], errors[f"torch_{name}"] = error, theirs
        finite = reference[name][reference[name].isfinite()]
        largest = float(finite.abs().max()) if finite.numel() else 0.0
        margin = cancellation(factors, name, scale) + EXPONENT * exponent * largest
        allowed = max(2 * theirs, largest * rounding) + margin
        if theirs > largest * rounding:
            ratios.append(error / theirs)
        if not error <= allowed:
            wrong.append(f"{name} is off by {error:.2e}, allowed {allowed:.2e}")
        if fp8.is_fp8(op):
            error, allowed = (rms(other[name], reference[name]) for other in (found, peer))
            allowed = RMS * allowed + margin
            if not error <= allowed:
                wrong.append(f"{name} has an rms error of {error:.2e}, allowed {allowed:.2e}")
    if "ds_amax" in found:
        wrong += compare_largest(factors, exponent, reference["ds_amax"], peer["ds_amax"], found["ds_amax"])
    if ratios:
        errors["ratio"] = max(ratios)
    unseen = max(0, case.seqlen_q - case.seqlen_k) if op["causal"] else 0
    if case.seqlen_k == 0:
        unseen = case.seqlen_q
    if bool((found["dq"][:, :unseen] != 0).any()):
        wrong.append("dQ of rows without a key is not 0")
    return wrong, errors


def run_case(kernel, case, device):
    """None if right, else what is wrong; and the errors."""
    op, outputs = kernel.operation, outputs_of(kernel)
    tensors, views = make(case, kernel, device)
    reference = prepare(op, views)
    trial = Trial(case, tensors, outputs)
    ran, refusal = trial.launch(kernel, views, device)
    if not ran:
        return refusal, {}

    found = {name: views[name].clone() for name in outputs}
    peer = in_precision(op, views)
    for results in (reference, found, peer):
        spread_nan(case, views, results)
    wrong, errors = compare(case, op, views, reference, peer, found)
    wrong += trial.stray_writes()
    return "; ".join(wrong) or None, errors


def repeat(kernel, seqlen_q, seqlen_k, device):
    """None if the kernel gives the same bits every time, while the GPU does other work too."""
    op, outputs = kernel.operation, outputs_of(kernel)
    case = Case("17", "", seqlen_q, seqlen_k)
    _, views = make(case, kernel, device)
    prepare(op, views)
    allocate = lambda size: torch.full((size,), 0xFF, dtype=torch.uint8, device=device)
    problem = kernel.problem(views, allocate)
    beside, matrix = torch.cuda.Stream(), torch.randn(2048, 2048, device=device, dtype=TORCH_DTYPES[output_type(op)])
    torch.cuda.synchronize()
    first = None
    for index in range(REPEATS):
        for name in outputs:
            views[name].fill_(math.nan)
        if problem.workspace is not None:
            problem.workspace.fill_(0xFF)
        with torch.cuda.stream(beside):
            for _ in range(1 + index % 7):
                torch.matmul(matrix, matrix)
        problem.launch(torch.cuda.current_stream().cuda_stream)
        bits = [views[name].contiguous().view(torch.uint8) for name in outputs]
        if first is None:
            first = [part.clone() for part in bits]
        for name, ours, theirs in zip(outputs, bits, first):
            if not torch.equal(ours, theirs):
                return f"{name} of run {index} differs from the first run's"
    return None
