#!/usr/bin/env python3
"""Draws one CTA of an emulator's timeline (fa3-run --trace) as an SVG picture.

    render_trace.py trace.json -o trace.svg [--cta N] [--begin CLOCK] [--end CLOCK] [--warps all]

Needs nothing but Python. ui.perfetto.dev shows the same file interactively.
"""

import argparse
import html
import json
import sys
from pathlib import Path

COLORS = {
    "issue": ("#4c78a8", "elementwise (softmax)"),
    "wgmma": ("#e45756", "wgmma"),
    "copy": ("#72b7b2", "TMA copy"),
    "wait": ("#d9d9d9", "mbarrier wait"),
    "barrier": ("#b5a0d8", "barrier"),
    "wgmma wait": ("#f5c3c2", "wait for wgmma"),
    "copy wait": ("#c5e5e3", "wait for copies"),
}
ROW, GAP, LEFT, RIGHT, TOP, BOTTOM = 16, 4, 230, 16, 56, 34
SEPARATION = 10


class Timeline:
    """The tracks of one process of the trace."""

    def __init__(self, events, cta):
        processes = sorted({e["pid"] for e in events if e.get("ph") == "X"})
        if not 0 <= cta < len(processes):
            sys.exit(f"render_trace.py: the trace holds {len(processes)} CTAs")
        self.pid = processes[cta]
        own = [e for e in events if e.get("pid") == self.pid]
        names = {e["tid"]: e["args"]["name"] for e in own if e["ph"] == "M" and e["name"] == "thread_name"}
        self.title = next((e["args"]["name"] for e in own if e["ph"] == "M" and e["name"] == "process_name"), "")
        self.spans = [e for e in own if e["ph"] == "X" and e["cat"] in COLORS]
        # One logical clock is 1 ns, and the file counts in microseconds.
        self.start = min((round(e["ts"] * 1000) for e in self.spans), default=0)
        for e in self.spans:
            e["begin"] = round(e["ts"] * 1000) - self.start
            e["end"] = e["begin"] + round(e["dur"] * 1000)
        self.tracks = [(tid, names.get(tid, str(tid))) for tid in sorted({e["tid"] for e in self.spans})]

    def keep_leaders(self):
        """Of a warpgroup that multiplies, only the first warp: the others look the same."""
        def shown(tid, name):
            return "consumer" not in name or tid % 4 == 0
        self.tracks = [track for track in self.tracks if shown(*track)]

    def length(self):
        return max((e["end"] for e in self.spans), default=1)


def tick_step(span):
    """The smallest of 1, 2, 5, 10, 20, ... clocks that gives at most ten ticks."""
    power = 1
    while True:
        for step in (power, 2 * power, 5 * power):
            if span <= 10 * step:
                return step
        power *= 10


def draw(timeline, begin, end, width):
    out = []
    scale = (width - LEFT - RIGHT) / max(1, end - begin)
    rows, y = {}, TOP
    previous = None
    for tid, name in timeline.tracks:
        # Warps, copies and tensor core are set apart.
        if previous is not None and previous // 1000 != tid // 1000:
            y += SEPARATION
        first = previous is None or previous // 1000 != tid // 1000
        rows[tid] = y
        if tid < 1000 or first:
            out.append(f'<text x="{LEFT - 8}" y="{y + ROW - 4}" text-anchor="end">{html.escape(name)}</text>')
        previous = tid
        y += ROW + GAP
    bottom = y
    step = tick_step(end - begin)
    for tick in range((begin + step - 1) // step * step, end + 1, step):
        x = LEFT + (tick - begin) * scale
        out.insert(0, f'<line x1="{x:.1f}" y1="{TOP - 4}" x2="{x:.1f}" y2="{bottom}" stroke="#eeeeee"/>')
        out.append(f'<text x="{x:.1f}" y="{bottom + 14}" text-anchor="middle">{tick}</text>')
    out.append(f'<text x="{width - RIGHT}" y="{bottom + 28}" text-anchor="end">logical clocks</text>')
    for e in timeline.spans:
        if e["tid"] not in rows or e["end"] <= begin or e["begin"] >= end:
            continue
        x = LEFT + (max(e["begin"], begin) - begin) * scale
        size = max(0.4, (min(e["end"], end) - max(e["begin"], begin)) * scale)
        tip = f"{e['name']}, clocks {e['begin']} to {e['end']}, PTX line {e['args']['line']}"
        if e["args"]["value"]:
            tip += f", {e['args']['value']} {'bytes' if e['cat'] == 'copy' else 'FLOPs'}"
        out.append(f'<rect x="{x:.1f}" y="{rows[e["tid"]]}" width="{size:.1f}" height="{ROW}" '
                   f'fill="{COLORS[e["cat"]][0]}"><title>{html.escape(tip)}</title></rect>')
    x = LEFT
    for category, (color, label) in COLORS.items():
        if any(e["cat"] == category for e in timeline.spans):
            out.append(f'<rect x="{x}" y="26" width="12" height="12" fill="{color}"/>'
                       f'<text x="{x + 16}" y="36">{label}</text>')
            x += 34 + 6.2 * len(label)
    height = bottom + BOTTOM
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            'font-family="sans-serif" font-size="11">'
            f'<rect width="{width}" height="{height}" fill="white"/>'
            f'<text x="{LEFT}" y="16" font-size="13" font-weight="bold">{html.escape(timeline.title)}</text>')
    return head + "\n" + "\n".join(out) + "\n</svg>\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trace", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--cta", type=int, default=0, help="which CTA of the file, from 0")
    parser.add_argument("--begin", type=int, default=0, metavar="CLOCK")
    parser.add_argument("--end", type=int, metavar="CLOCK")
    parser.add_argument("--width", type=int, default=1200)
    parser.add_argument("--warps", choices=("leaders", "all"), default="leaders",
                        help="the first warp of each consumer warpgroup, or all")
    arguments = parser.parse_args()
    events = [e for e in json.loads(arguments.trace.read_text())["traceEvents"] if e]
    timeline = Timeline(events, arguments.cta)
    if arguments.warps == "leaders":
        timeline.keep_leaders()
    end = arguments.end or timeline.length()
    arguments.output.write_text(draw(timeline, arguments.begin, end, arguments.width))
    return 0


if __name__ == "__main__":
    sys.exit(main())
