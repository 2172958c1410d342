"""Gradients of attention on 8-bit values: in fp64, and in the arithmetic of kernels."""

import math

import torch

import fp8
from cases import TORCH_DTYPES

DESCALES = (*fp8.DESCALES, "do_descale")
PROBABILITY_SCALE = 2.0**8  # of probabilities when they are rounded
RANGE = 400.0  # of 448: what the largest gradient of a score becomes


def parts_of(batch, kv_heads, elements):
    """(batch, key head) pairs in parts whose scores fit memory."""
    pairs = [(b, h) for b in range(batch) for h in range(kv_heads)]
    step = max(1, int(2**26 // max(1, elements)))
    return [tuple(zip(*pairs[first : first + step])) for first in range(0, len(pairs), step)]


def descales_of(views, device):
    """All four, in fp64; ones where the kernel takes none."""
    ones = torch.ones(views["q"].shape[0], views["k"].shape[2], device=device)
    return {name: views.get(name, ones).double() for name in DESCALES}


def dequantized(views):
    """q, k, v and do as the values that they stand for, in fp32."""
    descales = descales_of(views, views["q"].device)
    group = views["q"].shape[2] // max(1, views["k"].shape[2])
    scaled = {}
    for name in ("q", "k", "v", "do"):
        factor = descales[f"{name}_descale"]
        factor = factor.repeat_interleave(group, 1) if name in ("q", "do") else factor
        scaled[name] = (views[name].float() * factor[:, None, :, None]).float()
    return scaled


def padded_rows(values, rows, fill=0):
    """(n, group, seqlen, ...) -> (n, group * rows, ...)."""
    shape = (*values.shape[:2], rows, *values.shape[3:])
    padded = torch.full(shape, fill, dtype=torch.float64, device=values.device).to(values.dtype)
    if values.dtype in fp8.DTYPES.values():
        padded.view(torch.uint8)[:, :, : values.shape[2]] = values.contiguous().view(torch.uint8)
    else:
        padded[:, :, : values.shape[2]] = values
    return padded.flatten(1, 2)


def exact_product(a, b):
    return torch.matmul(a.double(), b.double())


def row_factors(gradients):
    """The least powers of two that kernels may find for rows of gradients."""
    exponents = torch.log2(gradients.abs().amax(-1, keepdim=True)).ceil().clamp(min=-100)
    return torch.exp2(6 - exponents)


def stored(gradients, ds_dtype, ds_scale):
    """Gradients of scores as a product's first operand, and their factors."""
    if ds_dtype not in fp8.DTYPES:
        return gradients.to(TORCH_DTYPES[ds_dtype]), 1.0
    factors = row_factors(gradients) if ds_scale is None else ds_scale
    return fp8.rounded(gradients * factors, TORCH_DTYPES[ds_dtype]), factors


def gradients(views, op, as_kernels):
    """dQ, dK, dV and the largest gradient of a score from the inputs as they are, O and LSE among them: in fp64, or as
    kernels compute them. 8-bit products are then summed as tensor cores do."""
    q, k, v, o, do, lse = (views[name] for name in ("q", "k", "v", "o", "do", "lse"))
    (b, sq, h, d), sk, kv = q.shape, k.shape[1], k.shape[2]
    scale, group, device = op.get("scale") or d**-0.5, h // max(1, kv), q.device
    kind = TORCH_DTYPES[op["output_dtype"]] if as_kernels else torch.float64
    results = {name: torch.zeros(of.shape, dtype=kind, device=device) for name, of in (("dq", q), ("dk", k), ("dv", v))}
    results["ds_amax"] = torch.zeros(b, kv, dtype=torch.float64, device=device)
    if min(b, sq, sk) == 0:
        return results
    rows = -(-sq // fp8.STEP) * fp8.STEP  # whole steps of each head
    mask = None
    if op["causal"]:
        mask = torch.arange(sk, device=device)[None, :] > torch.arange(rows, device=device)[:, None] + (sk - sq)
        mask = mask.repeat(group, 1)
    multiply = fp8.multiply if as_kernels else exact_product
    descales = descales_of(views, device)

    def queries(tensor):  # (batch, key head, group, seqlen, ...)
        return tensor.unflatten(2, (kv, group)).permute(0, 2, 3, 1, 4)

    def query_rows(tensor):
        return tensor.unflatten(1, (kv, group))

    for pair in parts_of(b, kv, group * rows * sk):
        at = tuple(torch.tensor(indices, device=device) for indices in pair)
        of_q, of_k, of_v, of_do = (descales[name][at][:, None, None] for name in DESCALES)
        ds_scale = views["ds_scale"].double()[at][:, None, None] if "ds_scale" in views else None
        kk, vv = (tensor.permute(0, 2, 1, 3)[at] for tensor in (k, v))
        qq, gg = (padded_rows(queries(tensor)[at], rows) for tensor in (q, do))
        offset = -(queries(o)[at].double() * queries(do)[at].double()).sum(-1) * of_do
        if "dlse" in views:
            offset = offset + query_rows(views["dlse"])[at].double()
        offset = padded_rows(offset, rows)[..., None]
        row = padded_rows(query_rows(lse)[at].double(), rows, -math.inf)[..., None]
        hidden = row == -math.inf if mask is None else (row == -math.inf) | mask
        p = torch.exp(multiply(qq, kk.transpose(1, 2)) * scale * of_q * of_k - row).masked_fill_(hidden, 0)
        ds = p * (multiply(gg, vv.transpose(1, 2)) * of_do * of_v + offset)
        ds.masked_fill_(hidden, 0)
        results["ds_amax"][at] = ds.abs().amax((1, 2))
        of_queries = of_keys = None
        p_factor, multiply_ds = 1.0, multiply
        if as_kernels:
            p = fp8.rounded(p * PROBABILITY_SCALE, torch.float8_e4m3fn)
            p_factor = PROBABILITY_SCALE
            of_queries = stored(ds, op["ds_dtype"], ds_scale)
            if op["ds_dtype"] in fp8.DTYPES and ds_scale is None:
                of_keys = stored(ds.transpose(1, 2), op["ds_dtype"], None)
            multiply_ds = multiply if op["ds_dtype"] in fp8.DTYPES else exact_product
        ds, factor = of_queries or (ds, 1.0)
        dq = multiply_ds(ds, kk) * (scale * of_k / factor)
        queries(results["dq"])[at] = dq.unflatten(1, (group, rows))[:, :, :sq].to(kind)
        ds, factor = of_keys or (ds.transpose(1, 2), factor)
        dk = multiply_ds(ds, qq) * (scale * of_q / factor)
        results["dk"].permute(0, 2, 1, 3)[at] = dk.to(kind)
        dv = multiply(p.transpose(1, 2), gg) * (of_do / p_factor)
        results["dv"].permute(0, 2, 1, 3)[at] = dv.to(kind)
    return results


def choose_scales(largest):
    """ds_scale, from the largest gradients of scores; 1 where these are 0 but for rounding, or NaN."""
    return torch.where(largest > 2.0**-20, RANGE / largest, torch.ones_like(largest)).float()
