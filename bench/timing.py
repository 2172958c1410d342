"""Times kernels beside cuDNN, interleaved, on one GPU."""

import statistics
import subprocess
import threading
import time

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

import fp8
import fp8_backward
from cases import TORCH_DTYPES

TOKENS, HIDDEN = 16384, 2048
MATRIX = 8192  # rows of the square matrices whose product is a yardstick for 8-bit kernels
DIFFERENCE = 0.1  # of the largest gradient: more is no rounding


class Sampler:
    """SM clock (MHz) and power (W) while the block runs, from nvidia-smi."""

    def __enter__(self):
        self.samples = []
        self.process = subprocess.Popen(
            ["nvidia-smi", f"--id={torch.cuda.current_device()}", "--query-gpu=clocks.sm,power.draw",
             "--format=csv,noheader,nounits", "-lms", "50"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.thread = threading.Thread(target=self._read)
        self.thread.start()
        return self

    def _read(self):
        for line in self.process.stdout:
            try:
                self.samples.append(tuple(float(value) for value in line.split(",")))
            except ValueError:
                continue

    def __exit__(self, *_):
        self.process.terminate()
        self.thread.join()

    def settled(self):
        """Mean of the second half of the samples: (MHz, W)."""
        half = self.samples[len(self.samples) // 2 :]
        if not half:
            return None, None
        return statistics.mean(s[0] for s in half), statistics.mean(s[1] for s in half)


def median_time(function, milliseconds):
    """Median time of a call, in ms, over about this many milliseconds of calls. As many go before, so that the card's clock
    is the one that these calls' power leaves, and not that of what was measured before."""
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    function()
    start.record()
    function()
    end.record()
    end.synchronize()
    count = max(5, min(400, int(milliseconds / max(start.elapsed_time(end), 1e-3))))
    events = [(torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) for _ in range(count)]
    for _ in range(count):
        function()
    for start, end in events:
        start.record()
        function()
        end.record()
    torch.cuda.synchronize()
    return statistics.median(start.elapsed_time(end) for start, end in events)


def sustained(function, seconds):
    """Mean time of a call in ms, SM clock and power after the first half of `seconds`."""
    function()
    torch.cuda.synchronize()
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    calls = 0
    with Sampler() as sampler:
        begin = time.monotonic()
        start.record()
        while time.monotonic() - begin < seconds:
            for _ in range(10):
                function()
            calls += 10
            torch.cuda.synchronize()
        end.record()
        end.synchronize()
    clock, power = sampler.settled()
    return start.elapsed_time(end) / calls, clock, power


class Forward:
    """One forward problem, all its kernels together: inputs, flops and a call for each contestant."""

    refusal = None  # why cuDNN does not compute it

    def __init__(self, operation, seqlen, heads=None, kv_heads=None):
        depth, dtype = operation["head_dim"], TORCH_DTYPES[operation["dtype"]]
        self.operation = operation
        self.batch, self.heads = max(1, TOKENS // seqlen), heads or HIDDEN // depth
        self.kv_heads = kv_heads or self.heads
        self.causal = bool(operation["causal"])
        # cuDNN's kernel beside 8-bit ones is that of bf16, on the values before rounding.
        peer_dtype = torch.bfloat16 if fp8.is_fp8(operation) else dtype
        torch.manual_seed(0)
        make = lambda count: torch.randn(self.batch, seqlen, count, depth, device="cuda", dtype=peer_dtype)
        self.q, self.k, self.v = make(self.heads), make(self.kv_heads), make(self.kv_heads)
        self.flops = 4 * seqlen * seqlen * depth * self.heads * self.batch / (2 if self.causal else 1)

    def inputs(self, kernel):
        """What our kernel takes, by name."""
        if not fp8.is_fp8(kernel.operation):
            return dict(q=self.q, k=self.k, v=self.v)
        dtype = TORCH_DTYPES[kernel.operation["dtype"]]
        q, k, v = (fp8.rounded(tensor, dtype) for tensor in (self.q, self.k, self.v))
        if kernel.operation.get("value_layout") == "columns":
            v = fp8.columns(v)
        names = [name for name in fp8_backward.DESCALES if name in kernel.dims]
        sizes = fp8.descale_sizes(kernel, names, self.batch, (self.heads, q.shape[1]), (self.kv_heads, k.shape[1]))
        ones = {name: torch.ones(size, device="cuda", dtype=torch.float32) for name, size in sizes.items()}
        return dict(q=q, k=k, v=v, **ones)

    def ours(self, kernel):
        o = torch.empty(self.q.shape, device="cuda", dtype=TORCH_DTYPES[kernel.dtypes["o"]])
        lse = torch.empty(self.batch, self.heads, self.q.shape[1], device="cuda", dtype=torch.float32)
        allocate = lambda size: torch.empty(size, dtype=torch.uint8, device="cuda")
        problem = kernel.problem(dict(**self.inputs(kernel), o=o, lse=lse), allocate)
        stream = torch.cuda.current_stream().cuda_stream
        return lambda: problem.launch(stream)

    def yardsticks(self):
        """Other work to set the speed against: name -> (call, flops)."""
        if not fp8.is_fp8(self.operation):
            return {}
        a, b = (torch.randn(MATRIX, MATRIX, device="cuda").to(torch.float8_e4m3fn) for _ in range(2))
        one = torch.ones(1, device="cuda")
        multiply = lambda: torch._scaled_mm(a, b.t(), one, one, out_dtype=torch.bfloat16, use_fast_accum=True)
        return {"matmul": (multiply, 2 * MATRIX**3)}

    def difference(self, kernel, contestants):
        """How far our results and cuDNN's are apart; None where nobody compares them."""
        return None

    def cudnn(self):
        q, k, v = (tensor.transpose(1, 2) for tensor in (self.q, self.k, self.v))

        def call():
            with sdpa_kernel(SDPBackend.CUDNN_ATTENTION):
                return torch.nn.functional.scaled_dot_product_attention(
                    q, k, v, is_causal=self.causal, enable_gqa=self.kv_heads != self.heads)

        return call


class Backward(Forward):
    """One backward problem: all its kernels together, beside cuDNN's."""

    def __init__(self, operation, seqlen, heads=None, kv_heads=None):
        super().__init__(operation, seqlen, heads, kv_heads)
        self.flops *= 2.5
        self.do = torch.randn_like(self.q)
        self.gradients = {}  # of each of our kernels
        if fp8.is_fp8(operation):  # as bf16 has them too, so that the gradients can be compared
            exactly = lambda tensor, dtype: fp8.rounded(tensor, TORCH_DTYPES[dtype]).to(tensor.dtype)
            self.q, self.k, self.v = (exactly(tensor, operation["dtype"]) for tensor in (self.q, self.k, self.v))
            self.do = exactly(self.do, operation["gradient_dtype"])
        self.scale = operation.get("scale") or operation["head_dim"] ** -0.5
        q, k, v = self.repeated()
        # The operators themselves, not scaled_dot_product_attention: nothing but cuDNN can answer.
        self.forward, self.refusal = None, None
        try:
            self.forward = torch.ops.aten._scaled_dot_product_cudnn_attention(q, k, v, None, True, 0.0, self.causal, False,
                                                                              scale=self.scale)
            o, lse = self.forward[:2]
            self.cudnn()()
        except RuntimeError as error:
            self.refusal = str(error).splitlines()[0]
            o, lse = torch.ops.aten._scaled_dot_product_flash_attention(q, k, v, 0.0, self.causal, False, scale=self.scale)[:2]
        self.o = o.transpose(1, 2).contiguous()
        self.lse = lse.float().reshape(self.batch, self.heads, seqlen).contiguous()

    def repeated(self):
        """q, k and v as (batch, heads, seqlen, head dim), with as many heads each."""
        ratio = self.heads // self.kv_heads
        return [tensor.repeat_interleave(times, 2).transpose(1, 2) if times != 1 else tensor.transpose(1, 2)
                for tensor, times in ((self.q, 1), (self.k, ratio), (self.v, ratio))]

    def inputs(self, kernel):
        tensors = super().inputs(kernel)
        tensors.update(o=self.o.to(TORCH_DTYPES[kernel.dtypes["o"]]), lse=self.lse, do=self.do)
        if "dlse" in kernel.dims:
            tensors["dlse"] = torch.zeros_like(self.lse)
        if fp8.is_fp8(kernel.operation):
            tensors["do"] = fp8.rounded(self.do, TORCH_DTYPES[kernel.dtypes["do"]])
        if "ds_scale" in kernel.dims:
            largest = fp8_backward.gradients(tensors, kernel.operation, as_kernels=False)["ds_amax"]
            tensors["ds_scale"] = fp8_backward.choose_scales(largest)
        return tensors

    def ours(self, kernel):
        tensors = self.inputs(kernel)
        gradients = {name: torch.empty_like(of, dtype=TORCH_DTYPES[kernel.dtypes[name]])
                     for name, of in (("dq", self.q), ("dk", self.k), ("dv", self.v))}
        self.gradients[kernel] = gradients
        if "ds_amax" in kernel.dims:
            tensors["ds_amax"] = torch.empty(self.batch, self.kv_heads, device="cuda", dtype=torch.float32)
        problem = kernel.problem({**tensors, **gradients}, lambda size: torch.empty(size, dtype=torch.uint8, device="cuda"))
        stream = torch.cuda.current_stream().cuda_stream
        return lambda: problem.launch(stream)

    def cudnn(self):
        q, k, v = self.repeated()
        out, lse, cum_q, cum_k, max_q, max_k, seed, offset, _ = self.forward
        do = self.do.transpose(1, 2)
        backward = torch.ops.aten._scaled_dot_product_cudnn_attention_backward
        return lambda: backward(do, q, k, v, out, lse, seed, offset, None, cum_q, cum_k, max_q, max_k, 0.0, self.causal,
                                scale=self.scale)

    def difference(self, kernel, contestants):
        """The largest difference of the gradients, relative to the largest gradient."""
        if self.heads != self.kv_heads or "cudnn" not in contestants:
            return None
        contestants["fa3"]()
        theirs = contestants["cudnn"]()
        pairs = [(self.gradients[kernel][name].float(), part.transpose(1, 2).float())
                 for name, part in zip(("dq", "dk", "dv"), theirs)]
        return max(float((ours - other).abs().max() / other.abs().max()) for ours, other in pairs)


PROBLEMS = {"forward": Forward, "backward": Backward}


def interleave(contestants, rounds, milliseconds):
    """Name -> the median time of each round; the order turns from round to round."""
    times = {name: [] for name in contestants}
    for function in contestants.values():
        for _ in range(3):
            function()
    torch.cuda.synchronize()
    names = list(contestants)
    for index in range(rounds):
        first = index % len(names)
        for name in names[first:] + names[:first]:
            times[name].append(median_time(contestants[name], milliseconds))
    return times


def describe(kernel):
    op = kernel.operation
    words = [op["kind"], op["dtype"], f"d{op['head_dim']}", "causal" if op["causal"] else "full"]
    words += ["deterministic"] * bool(op.get("deterministic")) + ["columns"] * (op.get("value_layout") == "columns")
    words += ["do", "e5m2"] * (op.get("gradient_dtype") == "e5m2")
    words += ["ds", op.get("ds_dtype")] * (op.get("ds_dtype", "e4m3") != "e4m3")
    words += ["running"] * (op.get("ds_dtype") == "e4m3" and "ds_scale" not in kernel.dims)
    words += ["descale"] * ("q_descale" in kernel.dims)
    return " ".join(words + ["of rows"] * any(fp8.has_rows(kernel, name) for name in fp8.DESCALES))


def fixed_heads(kernel):
    heads, kv_heads = kernel.dims["q"][2], kernel.dims["k"][2]
    return (heads if isinstance(heads, int) else None), (kv_heads if isinstance(kv_heads, int) else None)


def bf16_sibling(kernel, kernels):
    """Our backward kernel of bf16 that does what this one of 8-bit types does, or None."""
    if not fp8.is_fp8(kernel.operation) or kernel.operation["kind"] != "backward":
        return None
    same = ("kind", "head_dim", "causal", "scale", "deterministic")
    for other in kernels.values():
        if (other.operation["dtype"] == "bf16" and fixed_heads(other) == fixed_heads(kernel)
                and all(other.operation.get(name) == kernel.operation.get(name) for name in same)):
            return other
    return None


def compare(kernels, seqlens, rounds, milliseconds, sustain):
    """Every kernel beside cuDNN, and those of 8-bit types beside an 8-bit matrix product and our own of bf16."""
    results = []
    print(f"  {'kernel':40} {'seqlen':>6} {'fa3':>6} {'cuDNN':>6} {'ratio':>6}  (TFLOP/s; the ratio is the median over "
          f"{rounds} rounds)", flush=True)
    for name, kernel in kernels.items():
        problem_class = PROBLEMS.get(kernel.operation["kind"])
        if not problem_class or kernel.operation["dtype"] not in TORCH_DTYPES:
            continue
        for seqlen in seqlens:
            problem = problem_class(kernel.operation, seqlen, *fixed_heads(kernel))
            contestants = {"fa3": problem.ours(kernel)}
            if problem.refusal:
                print(f"  {describe(kernel)}, {seqlen}: cuDNN does not compute it: {problem.refusal}", flush=True)
            else:
                contestants["cudnn"] = problem.cudnn()
            yardsticks = problem.yardsticks()
            flops = {name: count for name, (_, count) in yardsticks.items()}
            sibling = bf16_sibling(kernel, kernels)
            if sibling:
                contestants["bf16"] = problem.ours(sibling)
            difference = problem.difference(kernel, contestants)
            if difference is not None and not difference < DIFFERENCE:
                print(f"  WRONG {name}, {seqlen}: gradients and cuDNN's differ by {difference:.2g} of the largest", flush=True)
            times = interleave(contestants, rounds, milliseconds)
            # Apart: what comes after a large matrix product finds a lower clock, for longer than its own load lasts.
            calls = {name: call for name, (call, _) in yardsticks.items()}
            if calls:
                times.update(interleave(calls, rounds, milliseconds))
            ratios = [theirs / ours for ours, theirs in zip(times["fa3"], times.get("cudnn", times["fa3"]))]
            row = dict(kernel=name, what=describe(kernel), seqlen=seqlen, batch=problem.batch, heads=problem.heads,
                       ratio=statistics.median(ratios), ratios=ratios, difference=difference, cudnn=None)
            for contestant, rows in times.items():
                row[contestant] = flops.get(contestant, problem.flops) / statistics.median(rows) / 1e9
            if yardsticks:
                row["matrix"] = MATRIX
            for yardstick in yardsticks:  # of speeds, as the work is not the same
                row[f"ratio_{yardstick}"] = statistics.median(
                    theirs / ours * problem.flops / flops[yardstick]
                    for ours, theirs in zip(times["fa3"], times[yardstick]))
            if sibling:
                row["ratio_bf16"] = statistics.median(theirs / ours for ours, theirs in zip(times["fa3"], times["bf16"]))
            if sustain and seqlen == max(seqlens):
                for contestant, function in {**contestants, **calls}.items():
                    milli, clock, power = sustained(function, sustain)
                    row[f"{contestant}_sustained"] = dict(
                        tflops=flops.get(contestant, problem.flops) / milli / 1e9, mhz=clock, watts=power)
            results.append(row)
            if not problem.refusal:
                print(f"  {row['what']:40} {seqlen:6} {row['fa3']:6.0f} {row['cudnn']:6.0f} {row['ratio']:6.3f}  "
                      + " ".join(f"{ratio:.3f}" for ratio in ratios), flush=True)
            else:
                row["ratio"] = None
                print(f"  {row['what']:40} {seqlen:6} {row['fa3']:6.0f}", flush=True)
            if "ratio_matmul" in row:
                print(f"  {'':40} {'':6} fp8 matmul {row['matmul']:.0f}, {row['ratio_matmul']:.3f} of it", flush=True)
            if sibling:
                print(f"  {'':40} {'':6} our bf16 {row['bf16']:.0f}, {row['ratio_bf16']:.3f} times as fast", flush=True)
            del problem, contestants, yardsticks, calls
            torch.cuda.empty_cache()
    for row in results:
        for contestant in ("fa3", "cudnn", "matmul", "bf16"):
            point = row.get(f"{contestant}_sustained")
            if point and point["mhz"]:
                print(f"  sustained {row['what']:40} {contestant:6} {point['tflops']:5.0f} TFLOP/s at "
                      f"{point['mhz']:.0f} MHz, {point['watts']:.0f} W", flush=True)
    return results


def ablation(groups, seqlens, rounds, milliseconds):
    """Variants of the same spec beside each other. `groups`: spec -> variant -> kernel."""
    results = []
    for spec, variants in groups.items():
        for seqlen in seqlens:
            first = next(iter(variants.values()))
            problem = PROBLEMS[first.operation["kind"]](first.operation, seqlen, *fixed_heads(first))
            contestants = {name: problem.ours(kernel) for name, kernel in variants.items()}
            times = interleave(contestants, rounds, milliseconds)
            base = times[next(iter(variants))]
            for name, rows in times.items():
                ratio = statistics.median(theirs / ours for ours, theirs in zip(rows, base))
                tflops = problem.flops / statistics.median(rows) / 1e9
                results.append(dict(spec=spec, variant=name, seqlen=seqlen, tflops=tflops, ratio=ratio))
                print(f"  {spec:28} {name:28} {seqlen:6} {tflops:6.0f} TFLOP/s  {ratio:.3f}", flush=True)
            del problem, contestants
            torch.cuda.empty_cache()
    return results
