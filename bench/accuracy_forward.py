"""What 8 bits cost O where inputs have outliers: forward kernels beside PyTorch's bf16, against the inputs as drawn."""

import math
from dataclasses import dataclass

import torch

import fp8
from cases import TORCH_DTYPES
from check_forward import attention

HEADS, SEQLEN, OUTLIERS = 4, 8192, 1e-3


@dataclass(frozen=True)
class Scaling:
    """How q, k and v are stored in 8 bits."""

    name: str
    of: str | None  # what has a factor of its own in q and k: tensor, head or row
    rotated: bool = False

    def fits(self, kernel):
        """Whether a kernel takes these factors; one with factors of rows takes all."""
        takes = "q_descale" in kernel.dims
        rows = all(fp8.has_rows(kernel, name) for name in ("q_descale", "k_descale"))
        return takes == (self.of is not None) and (rows or self.of != "row")


SCALINGS = (Scaling("as they are", None), Scaling("tensor", "tensor"), Scaling("head", "head"),
            Scaling("head, q and k rotated", "head", rotated=True), Scaling("row of q and k", "row"),
            Scaling("row of q and k, rotated", "row", rotated=True))


def original(seqlen, depth, device):
    """q, k and v in fp32: N(0,1), with N(0,100) added to one element in 1000."""
    generator = torch.Generator(device=device)
    generator.manual_seed(0)
    draw = lambda: torch.randn(1, seqlen, HEADS, depth, generator=generator, device=device)
    tensors = {}
    for name in ("q", "k", "v"):
        values = draw()
        chosen = torch.rand(values.shape, generator=generator, device=device) < OUTLIERS
        tensors[name] = values + chosen * 10 * draw()
    return tensors


def rotated(values):
    """Times an orthonormal Hadamard matrix of the largest power of two that divides the head dim."""
    size = values.shape[-1] & -values.shape[-1]
    matrix = torch.ones(1, 1, device=values.device)
    while len(matrix) < size:
        matrix = torch.cat((torch.cat((matrix, matrix), 1), torch.cat((matrix, -matrix), 1)))
    return (values.unflatten(-1, (-1, size)) @ matrix / math.sqrt(size)).flatten(-2)


def quantized(values, dtype, of):
    """The formulas of attn.quantize: elements of an 8-bit type, and factors (batch, heads) or (batch, heads, rows)."""
    if of is None:
        return fp8.rounded(values, dtype), None
    largest = values.abs()
    if of == "tensor":
        largest = largest.amax().expand(values.shape[0], values.shape[2])
    else:
        largest = largest.amax((1, 3)) if of == "head" else largest.amax(3).transpose(1, 2)
    descale = torch.where(largest == 0, torch.ones_like(largest), largest / torch.finfo(dtype).max)
    of_rows = descale.transpose(1, 2)[..., None] if of == "row" else descale[:, None, :, None]
    return fp8.rounded(values / of_rows, dtype), descale


def stored(factors, sizes):
    """Factors of these sizes, in rows that TMA may read."""
    if factors.dim() < len(sizes):
        factors = factors[..., None]
    padded = torch.empty(*sizes[:-1], -(-sizes[-1] // 4) * 4 if len(sizes) == 3 else sizes[-1], device=factors.device)
    padded[..., : sizes[-1]] = factors.expand(sizes)
    return padded[..., : sizes[-1]]


def inputs(kernel, tensors, scaling):
    """What a kernel takes, by name. Like attn.quantize, from bf16."""
    (batch, seqlen, heads, _), views = tensors["q"].shape, {}
    sizes = fp8.descale_sizes(kernel, fp8.DESCALES, batch, (heads, seqlen), (heads, seqlen))
    for name, values in tensors.items():
        values, of = values.bfloat16().float(), scaling.of
        if name == "v":
            of = "head" if of == "row" else of
        elif scaling.rotated:
            values = rotated(values)
        values, descale = quantized(values, TORCH_DTYPES[kernel.dtypes[name]], of)
        if name == "v" and kernel.operation.get("value_layout") == "columns":
            values = fp8.columns(values)
        views[name] = values
        if descale is not None:
            views[f"{name}_descale"] = stored(descale, sizes[f"{name}_descale"])
    return views


def ours(kernel, tensors, scaling):
    """The kernel's O."""
    q = tensors["q"]
    found = {"o": torch.empty(q.shape, dtype=TORCH_DTYPES[kernel.dtypes["o"]], device=q.device),
             "lse": torch.empty(q.shape[0], q.shape[2], q.shape[1], device=q.device)}
    allocate = lambda size: torch.empty(size, dtype=torch.uint8, device=q.device)
    problem = kernel.problem({**inputs(kernel, tensors, scaling), **found}, allocate)
    problem.launch(torch.cuda.current_stream().cuda_stream)
    torch.cuda.synchronize()
    return found["o"]


def theirs(tensors, causal, scale):
    """PyTorch's O in bf16."""
    q, k, v = (tensors[name].bfloat16().transpose(1, 2) for name in ("q", "k", "v"))
    return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal, scale=scale).transpose(1, 2)


def rms(found, exact):
    return float((found.double() - exact).square().mean().sqrt())


def measure(kernels, device="cuda"):
    """Rms errors of O of all forward kernels of 8-bit types, with each way to store the inputs that they take."""
    results = []
    chosen = {name: kernel for name, kernel in kernels.items()
              if kernel.operation["kind"] == "forward" and fp8.is_fp8(kernel.operation)}
    scale_of = lambda op: op.get("scale") or op["head_dim"] ** -0.5
    problem_of = lambda op: (bool(op["causal"]), op["head_dim"], scale_of(op))
    for causal, depth, scale in sorted({problem_of(kernel.operation) for kernel in chosen.values()}):
        tensors = original(SEQLEN, depth, device)
        exact, _ = attention(*tensors.values(), causal, scale, torch.float64)
        base = dict(seqlen=SEQLEN, head_dim=depth, causal=causal)
        rows = [dict(base, what="PyTorch bf16", factors="", rms=rms(theirs(tensors, causal, scale), exact))]
        for name, kernel in chosen.items():
            if problem_of(kernel.operation) == (causal, depth, scale):
                rows += [dict(base, what=name, factors=scaling.name, rms=rms(ours(kernel, tensors, scaling), exact))
                         for scaling in SCALINGS if scaling.fits(kernel)]
        for row in rows:
            print("  " + " | ".join(cells(row)), flush=True)
        results += rows
    return results


def cells(row):
    """A row of the table."""
    return [row["what"], f"d{row['head_dim']} {'causal' if row['causal'] else 'full'}", row["factors"], f"{row['rms']:.2e}"]


def table(rows):
    """Markdown."""
    lines = [f"Rms errors of O against fp64 of the inputs as drawn, {HEADS} heads of {SEQLEN} keys and queries: N(0,1), with "
             "N(0,100) added to one element in 1000. Each tensor, head or row has the factor for which its largest element "
             "fills the range; values never have factors of rows.",
             "", "| kernel | | a factor for each | O |", "| --- | --- | --- | ---: |"]
    return "\n".join(lines + ["| " + " | ".join(cells(row)) + " |" for row in rows]) + "\n"
