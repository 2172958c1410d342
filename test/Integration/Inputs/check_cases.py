"""Compiles a spec and checks its kernel on the emulator.

  check_cases.py SPEC PREFIX GROUP... [-- options of fa3-opt]

PREFIX is where the package goes; a GROUP is a key of CASES. fa3-opt and fa3-run are
found on the PATH. Prints every command that failed.
"""

import json
import subprocess
import sys


def problem(seqlen_q, seqlen_k, batch=1, heads=1, kv_heads=1, *options):
    return ["--batch", str(batch), "--heads", str(heads), "--kv-heads", str(kv_heads),
            "--seqlen-q", str(seqlen_q), "--seqlen-k", str(seqlen_k), *options]


CASES = {
    # One query or key, whole and ragged tiles.
    "shapes": [problem(q, k) for q, k in
               [(1, 1), (1, 128), (2, 1), (64, 128), (113, 203), (128, 217), (239, 1), (799, 3), (256, 512)]],
    "long": [problem(1023, 1024), problem(1024, 1023)],
    # Queries without a key when causal, and keys that no short query reaches.
    "offset": [problem(q, k) for q, k in [(203, 113), (257, 1), (64, 500), (300, 128)]],
    "empty": [problem(0, 64), problem(64, 0), problem(64, 64, 0)],
    "heads": [problem(70, 90, 1, 2 * ratio, 2) for ratio in (1, 2, 3, 4, 7)]
             + [problem(70, 90, 2, 8, 1), problem(130, 70, 3, 2, 2)],
    # Numbers of heads that powers of two divide or not, and of blocks; one block alone, one head alone.
    "groups": [problem(q, k, batch, heads, kv_heads) for q, k, batch, heads, kv_heads in
                   [(400, 400, 2, 6, 3), (400, 300, 1, 5, 5), (200, 150, 3, 7, 7), (200, 200, 1, 16, 16),
                    (400, 300, 1, 8, 8), (70, 90, 2, 8, 8), (600, 520, 1, 4, 2), (800, 800, 1, 1, 1)]],
    # Many tiles whose loops are empty, in other orders of asynchronous events.
    "idle": [problem(q, k, 1, 4, 4, f"--emulator-seed={seed}") for seed in range(4) for q, k in
             [(257, 1), (1000, 1), (1000, 0), (0, 1000)]],
    # Strides, with NaN around every tensor.
    "layouts": [problem(113, 203, 2, 2, 2, "--pad", f"--layout={layout}") for layout in
                ("bshd", "bhsd", "packed", "sliced")] + [problem(113, 203, 2, 2, 1, "--pad", "--layout=sliced")],
    "numbers": [problem(113, 203, 1, 2, 1, f"--distribution={name}") for name in ("equal", "outlier", "huge")],
    # Of 8-bit tensors, for each batch and head or for each row; the latter have strides, too.
    "factors": [problem(113, 203, 2, 4, 2, "--pad", "--descale-range=0.01,2", *more) for more in
                ([], ["--layout=bhsd"], ["--layout=sliced"], ["--distribution=outlier"], ["--distribution=sink"])]
               + [problem(*shape, "--pad", "--descale-range=0.01,2") for shape in
                  ((1, 1, 1, 1, 1), (1, 5, 3, 2, 2), (203, 77, 1, 2, 1))],
    # Other orders of asynchronous events; the same bits every time.
    "orders": [problem(150, 300, 1, 2, 1, f"--emulator-seed={seed}") for seed in range(1, 5)],
    "repeat": [problem(150, 300, 1, 2, 1, "--repeat=2"), problem(64, 128, 1, 1, 1, "--graph")],
    # Gradients of a sum: all rows of dO are one.
    "sum": [problem(113, 203, 2, 2, 1, "--pad", "--stride-zero=do")],
    # LSE far from what scores of absent keys would need, S % 128 == 64.
    "ragged": [problem(q, k, 1, 2, 1, "--pad", f"--distribution={name}")
               for q, k in [(64, 64), (192, 192), (192, 320)] for name in ("normal", "huge")],
    # Deterministic kernels: the same bits, whatever runs beside and in whatever order.
    "bits": [problem(150, 300, 1, 2, 1, f"--emulator-seed={seed}", "--repeat=2", "--beside") for seed in range(1, 7)],
    "once": [problem(150, 203, 1, 2, 1, "--pad")],
}


def run(command):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode:
        print(" ".join(command), f"\nexit status {result.returncode}\n{result.stdout}")
    return result.returncode == 0


def same_bits(package, problems, report):
    """Whether the outputs of all problems are the same."""
    checksums = []
    for case in problems:
        if not run(["fa3-run", package, "--driver=emulator", *case, "--json", report]):
            return False
        with open(report) as file:
            checksums.append(json.load(file)["checksums"])
    if any(other != checksums[0] for other in checksums):
        print("the runs' outputs differ: ", *checksums, sep="\n")
        return False
    return True


def main():
    arguments, compiler = sys.argv[1:], []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, compiler = arguments[:at], arguments[at + 1 :]
    spec, prefix, *groups = arguments
    package = prefix + ".fa3"
    if not run(["fa3-opt", spec, "--emit=package", "-o", package, *compiler]):
        return 1
    results = [run(["fa3-run", package, "--driver=emulator", "--check", *case])
               for group in groups for case in CASES[group]]
    if "bits" in groups:
        results.append(same_bits(package, CASES["bits"], prefix + ".json"))
    print(f"{sum(results)} of {len(results)} right")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
