#!/usr/bin/env python3
"""Draws speed.csv of bench/run_gpu.py: TFLOP/s over the sequence length.

  bench/plot.py speed.csv speed.svg
"""

import csv
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], newline="") as file:
        rows = list(csv.DictReader(file))
    kernels = list(dict.fromkeys(row["kernel"] for row in rows))
    columns = min(2, len(kernels))
    lines = -(-len(kernels) // columns)
    figure, axes = plt.subplots(lines, columns, figsize=(5 * columns, 3.2 * lines), squeeze=False, sharey="row")
    for axis in axes.flat[len(kernels) :]:
        axis.remove()
    for axis, kernel in zip(axes.flat, kernels):
        chosen = [row for row in rows if row["kernel"] == kernel]
        seqlens = [row["seqlen"] for row in chosen]
        positions = range(len(seqlens))
        for shift, (column, label) in zip((-0.2, 0.2), (("cudnn_tflops", "cuDNN"), ("fa3_tflops", "FA3"))):
            values = [float(row[column] or 0) for row in chosen]
            bars = axis.bar([p + shift for p in positions], values, width=0.38, label=label)
            axis.bar_label(bars, fmt="%.0f", fontsize=6)
        axis.set_title(kernel, fontsize=9)
        axis.set_xticks(list(positions), seqlens)
        axis.set_xlabel("sequence length")
        axis.set_ylabel("TFLOP/s")
    axes.flat[0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(sys.argv[2])


if __name__ == "__main__":
    main()
