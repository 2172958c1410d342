"""Attention in 8 bits: how its inputs are stored, and what its arithmetic costs."""

import math

import torch

DTYPES = {"e4m3": torch.float8_e4m3fn, "e5m2": torch.float8_e5m2}
GROUP = 16  # keys that are interleaved where values lie along them
STEP = 32  # products that a tensor core adds at once
FRACTION = 13  # bits of the sum that it keeps then
ELEMENTS = 2**27  # products in memory at once
# Where the largest probability of a row may lie when it is rounded: a reference may lag behind the maximum.
SCALES = (2.0**4, 2.0**4.25)
# The same for sums of rounded probabilities, which cost less to compute: where many are alike, so are their errors.
SUM_SCALES = tuple(2.0 ** (4 + eighth / 8) for eighth in range(8))
DESCALES = ("q_descale", "k_descale", "v_descale")


def is_fp8(operation):
    return operation["dtype"] in DTYPES


def rounded(tensor, dtype):
    """To the nearest number of an 8-bit type; what is too large saturates."""
    most = torch.finfo(dtype).max
    return tensor.float().clamp(-most, most).to(dtype)


def make_descales(sizes, limits, generator, device):
    """Name -> factors of these sizes; the logarithms are even between the limits."""
    least, most = limits
    return {name: least * (most / least) ** torch.rand(size, generator=generator, device=device)
            for name, size in sizes.items()}


def has_rows(kernel, name):
    """Whether a kernel takes a descale with a factor for each row, (batch, heads, rows), not (batch, key heads)."""
    return len(kernel.dims.get(name, ())) == 3


def descale_sizes(kernel, names, batch, queries, keys):
    """Name -> the sizes of a descale; `queries` and `keys` are (heads, rows). One that the kernel does not take has one
    factor for each batch and key head."""
    rows = {"q_descale": queries, "k_descale": keys}
    return {name: (batch, *rows[name]) if has_rows(kernel, name) else (batch, keys[0]) for name in names}


def factors_of(descales, name, batch, head, kv_head):
    """The factors of some heads' rows or of whole heads, as (heads, rows or 1, 1)."""
    descale = descales[name]
    if descale.dim() == 2:
        return descale[batch, kv_head][:, None, None]
    return descale[batch, head if name == "q_descale" else kv_head][..., None]


def padded_keys(keys):
    return -(-keys // GROUP) * GROUP


def positions(keys, device):
    """Where each key lies: 16g + 8h + 2t + j is at 16g + 4t + 2h + j."""
    key = torch.arange(keys, device=device)
    within = key % GROUP
    return key - within + within % 8 // 2 * 4 + within // 8 * 2 + within % 2


def columns(values):
    """(batch, keys, heads, depth) -> (batch, heads, depth, padded keys), zeros where there is no key."""
    b, s, h, d = values.shape
    stored = torch.zeros((b, h, d, padded_keys(s)), dtype=torch.uint8, device=values.device)
    stored[..., positions(s, values.device)] = values.view(torch.uint8).permute(0, 2, 3, 1)
    return stored.view(values.dtype)


def exponents(factors):
    """Of the factors of products, as a tensor core takes them: subnormal numbers have that of the smallest normal one."""
    smallest = math.frexp(torch.finfo(factors.dtype).smallest_normal)[1]
    values = factors.float()
    return torch.where(values == 0, -(2.0**10), torch.frexp(values)[1].clamp(min=smallest).float())


def add_step(total, a, b, a_exponents, b_exponents):
    """total + a b for one step: everything is cut towards zero at a place below the largest exponent, then added. All
    terms are small multiples of that place, so that fp32 is exact."""
    exponent = a_exponents.unsqueeze(-1) + b_exponents.unsqueeze(-3)  # one more for each factor than the leading bit's
    own = torch.where(total == 0, -(2.0**10), torch.frexp(total)[1].float())
    top = torch.maximum(exponent.amax(-2) - 2, own - 1).clamp(min=-100)
    place = torch.exp2(FRACTION - top)
    terms = (a.unsqueeze(-1) * b.unsqueeze(-3) * place.unsqueeze(-2)).trunc_().sum(-2)
    mantissa, exponent = torch.frexp(terms + (total * place).trunc())
    kept = 2.0 ** (FRACTION + 1)
    return torch.ldexp((mantissa * kept).trunc() / kept, exponent) / place


def multiply(a, b):
    """The product of 8-bit matrices as tensor cores sum it up, by the rule of docs/emulator.md."""
    heads, rows, columns = *a.shape[:2], b.shape[-1]
    total = torch.zeros(heads, rows, columns, dtype=torch.float32, device=a.device)
    a, b, a_exponents, b_exponents = a.float(), b.float(), exponents(a), exponents(b)
    size = max(1, ELEMENTS // max(1, heads * columns * STEP))
    for top in range(0, rows, size):
        part = slice(top, top + size)
        for first in range(0, a.shape[-1], STEP):
            step = slice(first, first + STEP)
            total[:, part] = add_step(total[:, part], a[:, part, step], b[:, step], a_exponents[:, part, step],
                                      b_exponents[:, step])
    return total.double()


def attend(q, k, v, mask, scale_q, scale_k, scale_v):
    """O and LSE in 8-bit arithmetic, one of each for each way in which kernels differ; and what the sum of rounded
    probabilities may cost LSE. The scales are those of rows, or of whole heads, with the descales."""
    scores = multiply(q, k.transpose(-1, -2)).mul_(scale_q).mul_(scale_k.transpose(-1, -2))
    if mask is not None:
        scores = scores.masked_fill(mask, -math.inf)
    empty = (scores == -math.inf).all(-1, keepdim=True)
    largest = scores.amax(-1, keepdim=True).masked_fill(empty, 0)
    weights = torch.exp(scores - largest)
    exact = weights.sum(-1, keepdim=True)
    outputs, rows = [], []
    for factor in SCALES:
        stored = rounded(weights * factor, torch.float8_e4m3fn)
        product = multiply(stored, v)
        for total in (exact, stored.double().sum(-1, keepdim=True) / factor):
            outputs.append((product / factor / total * scale_v).masked_fill(empty, 0))
            rows.append((largest + total.log()).squeeze(-1))
    for factor in SUM_SCALES:
        total = rounded(weights * factor, torch.float8_e4m3fn).double().sum(-1, keepdim=True) / factor
        rows.append((largest + total.log()).squeeze(-1))
    length = (weights.square().sum(-1, keepdim=True).sqrt() / exact).masked_fill(empty, 0).squeeze(-1)
    return outputs, rows, 2.0**-4 * (3 * length).clamp(max=1)
