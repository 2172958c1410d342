"""What 8 bits cost gradients: backward kernels beside PyTorch's of bf16, on the same original inputs."""

import torch

import fp8
import fp8_backward
from cases import TORCH_DTYPES
from check_backward import GRADIENTS, differentiate
from check_forward import attention

HEADS, OUTLIERS = 2, 1e-3
FILLS = ("normal", "outliers")


def original(fill, seqlen, depth, device):
    """q, k, v and do in bf16: N(0,1), or with N(0,100) added to one element in 1000."""
    generator = torch.Generator(device=device)
    generator.manual_seed(0)
    draw = lambda: torch.randn(1, seqlen, HEADS, depth, generator=generator, device=device)
    tensors = {}
    for name in ("q", "k", "v", "do"):
        values = draw()
        if fill == "outliers" and name != "do":
            chosen = torch.rand(values.shape, generator=generator, device=device) < OUTLIERS
            values += chosen * 10 * draw()
        tensors[name] = values.bfloat16()
    return tensors


def quantized(tensors, kernel):
    """The tensors in the kernel's types, with descales for which the largest element fills the range if it takes them."""
    views = {}
    for name, values in tensors.items():
        dtype = TORCH_DTYPES[kernel.dtypes[name]]
        if f"{name}_descale" in kernel.dims:
            descale = values.float().abs().amax((1, 3)) / torch.finfo(dtype).max
            views[f"{name}_descale"] = descale
            values = values.float() / descale[:, None, :, None]
        views[name] = fp8.rounded(values, dtype)
    return views


def ours(kernel, tensors):
    """The kernel's gradients, and those in fp64 of the inputs as it has them."""
    op = kernel.operation
    views = quantized(tensors, kernel)
    descales = fp8_backward.descales_of(views, views["q"].device)
    scale = op.get("scale") or op["head_dim"] ** -0.5
    o, lse = attention(views["q"], views["k"], views["v"], bool(op["causal"]), scale, torch.float64, descales)
    views["o"], views["lse"] = o.to(TORCH_DTYPES[op["output_dtype"]]), lse.float()
    if "dlse" in kernel.dims:
        views["dlse"] = torch.zeros_like(views["lse"])
    reference = fp8_backward.gradients(views, op, as_kernels=False)
    if "ds_scale" in kernel.dims:
        views["ds_scale"] = fp8_backward.choose_scales(reference["ds_amax"])
    found = {name: torch.empty(views[of].shape, dtype=TORCH_DTYPES[kernel.dtypes[name]], device=o.device)
             for name, of in GRADIENTS.items()}
    if "ds_amax" in kernel.dims:
        found["ds_amax"] = torch.empty(reference["ds_amax"].shape, dtype=torch.float32, device=o.device)
    problem = kernel.problem({**views, **found}, lambda size: torch.empty(size, dtype=torch.uint8, device=o.device))
    problem.launch(torch.cuda.current_stream().cuda_stream)
    torch.cuda.synchronize()
    return found, reference


def theirs(tensors, causal, scale):
    """PyTorch's gradients in bf16."""
    q, k, v, do = (tensors[name].transpose(1, 2).detach().requires_grad_(name != "do") for name in ("q", "k", "v", "do"))
    out = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal, scale=scale)
    return {name: part.transpose(1, 2) for name, part in zip(GRADIENTS, torch.autograd.grad(out, (q, k, v), do))}


def relative(found, reference):
    """The rms error of each gradient, relative to the gradient's rms."""
    return {name: float((found[name].double() - reference[name].double()).square().mean().sqrt()
                        / reference[name].double().square().mean().sqrt()) for name in GRADIENTS}


def measure(kernels, seqlens, device="cuda"):
    """Relative rms errors of the gradients of all backward kernels of 8-bit types."""
    results = []
    chosen = {name: kernel for name, kernel in kernels.items()
              if kernel.operation["kind"] == "backward" and fp8.is_fp8(kernel.operation)}
    problems = sorted({(bool(kernel.operation["causal"]), kernel.operation["head_dim"],
                        kernel.operation.get("scale") or kernel.operation["head_dim"] ** -0.5) for kernel in chosen.values()})
    for causal, depth, scale in problems:
        for seqlen in seqlens:
            for fill in FILLS:
                tensors = original(fill, seqlen, depth, device)
                exact = differentiate(tensors, causal, scale, torch.float64)
                base = dict(seqlen=seqlen, fill=fill, head_dim=depth, causal=causal)
                rows = [dict(base, what="PyTorch bf16", original=relative(theirs(tensors, causal, scale), exact))]
                for name, kernel in chosen.items():
                    op = kernel.operation
                    if (bool(op["causal"]), op["head_dim"]) != (causal, depth):
                        continue
                    found, reference = ours(kernel, tensors)
                    rows.append(dict(base, what=name, dequantized=relative(found, reference), original=relative(found, exact)))
                for row in rows:
                    print("  " + " | ".join(cells(row)), flush=True)
                results += rows
    return results


def cells(row):
    """A row of the table."""
    shown = lambda errors: [f"{errors[name]:.2e}" if errors else "" for name in GRADIENTS]
    return [row["what"], f"d{row['head_dim']} {'causal' if row['causal'] else 'full'}", str(row["seqlen"]), row["fill"],
            *shown(row.get("dequantized")), *shown(row["original"])]


def table(rows):
    """Markdown."""
    head = ["kernel", "", "keys", "values", *(f"{name}, quantized" for name in ("dQ", "dK", "dV")),
            *(f"{name}, original" for name in ("dQ", "dK", "dV"))]
    lines = ["Rms errors of gradients relative to their rms, against fp64 of the inputs after and before rounding to 8 bits.",
             "", "| " + " | ".join(head) + " |", "| --- " * 4 + "| ---: " * 6 + "|"]
    return "\n".join(lines + ["| " + " | ".join(cells(row)) + " |" for row in rows]) + "\n"
