"""Times kernels beside cuDNN, interleaved, on one GPU."""

import statistics
import subprocess
import threading
import time

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

import fp8
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
        if not fp8.is_fp8(self.operation):
            return dict(q=self.q, k=self.k, v=self.v)
        dtype = TORCH_DTYPES[self.operation["dtype"]]
        q, k, v = (fp8.rounded(tensor, dtype) for tensor in (self.q, self.k, self.v))
        if self.operation.get("value_layout") == "columns":
            v = fp8.columns(v)
        ones = torch.ones(self.batch, self.kv_heads, device="cuda", dtype=torch.float32)
        return dict(q=q, k=k, v=v, **{name: ones for name in ("q_descale", "k_descale", "v_descale") if name in kernel.dims})

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

    def difference(self, contestants):
        """How far the results are apart; None where nobody compares them."""
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

    def ours(self, kernel):
        self.gradients = {name: torch.empty_like(of) for name, of in (("dq", self.q), ("dk", self.k), ("dv", self.v))}
        tensors = dict(q=self.q, k=self.k, v=self.v, o=self.o, lse=self.lse, do=self.do, **self.gradients)
        if "dlse" in kernel.dims:
            tensors["dlse"] = torch.zeros_like(self.lse)
        problem = kernel.problem(tensors, lambda size: torch.empty(size, dtype=torch.uint8, device="cuda"))
        stream = torch.cuda.current_stream().cuda_stream
        return lambda: problem.launch(stream)

    def cudnn(self):
        q, k, v = self.repeated()
        out, lse, cum_q, cum_k, max_q, max_k, seed, offset, _ = self.forward
        do = self.do.transpose(1, 2)
        backward = torch.ops.aten._scaled_dot_product_cudnn_attention_backward
        return lambda: backward(do, q, k, v, out, lse, seed, offset, None, cum_q, cum_k, max_q, max_k, 0.0, self.causal,
                                scale=self.scale)

    def difference(self, contestants):
        """The largest difference of the contestants' gradients, relative to the largest gradient."""
        if self.heads != self.kv_heads or "cudnn" not in contestants:
            return None
        contestants["fa3"]()
        theirs = contestants["cudnn"]()
        pairs = [(self.gradients[name].float(), part.transpose(1, 2).float())
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
    return " ".join(words + ["descale"] * ("q_descale" in kernel.dims))


def fixed_heads(kernel):
    heads, kv_heads = kernel.dims["q"][2], kernel.dims["k"][2]
    return (heads if isinstance(heads, int) else None), (kv_heads if isinstance(kv_heads, int) else None)


def compare(kernels, seqlens, rounds, milliseconds, sustain):
    """Every kernel beside cuDNN, and those of 8-bit types beside an 8-bit matrix product."""
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
            contestants.update({name: call for name, (call, _) in yardsticks.items()})
            difference = problem.difference(contestants)
            if difference is not None and not difference < DIFFERENCE:
                print(f"  WRONG {name}, {seqlen}: gradients and cuDNN's differ by {difference:.2g} of the largest", flush=True)
            times = interleave(contestants, rounds, milliseconds)
            ratios = [theirs / ours for ours, theirs in zip(times["fa3"], times.get("cudnn", times["fa3"]))]
            row = dict(kernel=name, what=describe(kernel), seqlen=seqlen, batch=problem.batch, heads=problem.heads,
                       ratio=statistics.median(ratios), ratios=ratios, difference=difference, cudnn=None)
            for contestant, rows in times.items():
                row[contestant] = flops.get(contestant, problem.flops) / statistics.median(rows) / 1e9
            if yardsticks:
                row["matrix"] = MATRIX
            for name in yardsticks:  # of speeds, as the work is not the same
                row[f"ratio_{name}"] = statistics.median(
                    theirs / ours * problem.flops / flops[name] for ours, theirs in zip(times["fa3"], times[name]))
            if sustain and seqlen == max(seqlens):
                for contestant, function in contestants.items():
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
            del problem, contestants, yardsticks
            torch.cuda.empty_cache()
    for row in results:
        for contestant in ("fa3", "cudnn", "matmul"):
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
