"""Attention in 8 bits: how its inputs are stored, and what its arithmetic costs."""

import math

import torch

DTYPES = {"e4m3": torch.float8_e4m3fn, "e5m2": torch.float8_e5m2}
GROUP = 16  # keys that are interleaved where values lie along them
STEP = 32  # products that a tensor core adds at once
FRACTION = 13  # bits of the sum that it keeps then
# Where the largest probability of a row may lie when it is rounded: a reference may lag behind the maximum.
SCALES = (2.0**4, 2.0**4.25)


def is_fp8(operation):
    return operation["dtype"] in DTYPES


def rounded(tensor, dtype):
    """To the nearest number of an 8-bit type; what is too large saturates."""
    most = torch.finfo(dtype).max
    return tensor.float().clamp(-most, most).to(dtype)


def padded_keys(keys):
    return -(-keys // GROUP) * GROUP


def positions(keys, device):
    """Where each key lies: 16g + 8h + 2t + j is at 16g + 4t + 2h + j."""
    key = torch.arange(keys, device=device)
    within = key % GROUP
    return key - within + within % 8 // 2 * 4 + within // 8 * 2 + within % 2


def columns(values):
    """(batch, keys, heads, depth) -> (batch, heads, depth, padded keys), NaN where there is no key."""
    b, s, h, d = values.shape
    stored = torch.full((b, h, d, padded_keys(s)), 0xFF, dtype=torch.uint8, device=values.device)
    stored[..., positions(s, values.device)] = values.view(torch.uint8).permute(0, 2, 3, 1)
    return stored.view(values.dtype)


def cut(sums):
    """Towards zero, to what a tensor core keeps."""
    mantissa, exponent = torch.frexp(sums)
    unit = 2.0 ** (FRACTION + 1)
    return torch.ldexp((mantissa * unit).trunc() / unit, exponent)


def multiply(a, b):
    """The product as tensor cores sum it up, in double."""
    total = torch.zeros(*a.shape[:-1], b.shape[-1], dtype=torch.float64, device=a.device)
    for first in range(0, a.shape[-1], STEP):
        total = cut(total + torch.matmul(a[..., first : first + STEP].double(), b[..., first : first + STEP, :].double()))
    return total


def attend(q, k, v, mask, scale, scale_v):
    """O and LSE in 8-bit arithmetic, one of each for each way in which kernels differ; and what the sum of rounded
    probabilities may cost LSE. `scale` and `scale_v` have the descales."""
    scores = multiply(q, k.transpose(-1, -2))
    if mask is not None:
        scores = scores.masked_fill(mask, -math.inf)
    empty = (scores == -math.inf).all(-1, keepdim=True)
    largest = scores.amax(-1, keepdim=True).masked_fill(empty, 0)
    weights = torch.exp((scores - largest) * scale)
    exact = weights.sum(-1, keepdim=True)
    outputs, rows = [], []
    for factor in SCALES:
        stored = rounded(weights * factor, torch.float8_e4m3fn).double()
        product = multiply(stored, v)
        for total in (exact, stored.sum(-1, keepdim=True) / factor):
            outputs.append((product / factor / total * scale_v).masked_fill(empty, 0))
            rows.append((largest * scale + total.log()).squeeze(-1))
    length = (weights.square().sum(-1, keepdim=True).sqrt() / exact).masked_fill(empty, 0).squeeze(-1)
    return outputs, rows, 2.0**-4 * (3 * length).clamp(max=1)
