#!/usr/bin/env python3
"""Runs correct kernels with many seeds: any diagnosis is a false alarm.

    clean_seeds.py PACKAGE... [--seeds 20] [--problem "--batch 1 ..."]...

Every run also checks the results against the fp64 reference. The exit status is
1 if any of them failed.
"""

import argparse
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

BUILD = Path(__file__).resolve().parents[3] / "build"
DEFAULT_PROBLEMS = ("--batch 1 --heads 2 --seqlen-q 200 --seqlen-k 900", "--batch 2 --heads 2 --kv-heads 1 --seqlen-q 390 "
                    "--seqlen-k 130")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", type=Path, nargs="+")
    parser.add_argument("--fa3-run", type=Path, default=BUILD / "bin" / "fa3-run")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--problem", action="append", metavar="ARGUMENTS", help="of fa3-run; may be repeated")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    commands = [[str(arguments.fa3_run), str(package), "--driver=emulator", "--check", f"--emulator-seed={seed}",
                 *shlex.split(problem)]
                for package in arguments.packages for problem in arguments.problem or DEFAULT_PROBLEMS
                for seed in range(1, arguments.seeds + 1)]

    def run(command):
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")

    failures = 0
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for command, result in zip(commands, pool.map(run, commands)):
            if result.returncode or "fa3-emulator:" in result.stdout:
                failures += 1
                print(f"{shlex.join(command)}\n{result.stdout}")
    print(f"{len(commands)} runs, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
