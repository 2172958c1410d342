#!/usr/bin/env python3
"""Breaks a kernel's synchronization in every place and counts what is noticed.

    planted_faults.py --package FILE.fa3 [--problem "--batch 1 ..."]... [options]
    planted_faults.py --snippet FILE.ptx [options]

Each mutant of the kernel's PTX lacks or alters one wait, arrival, fence, count,
phase, barrier or descriptor field; those of a package also alter the swizzle of
one tensor map. It runs with several seeds, on each of the problems that execute
the line, and is caught when the emulator diagnoses it or the results are wrong.
The exit status is 1 if fewer than the required share are caught, or if the
kernel itself does not pass.

What does not count is listed apart: mutants of lines that no thread of any of
the problems executes, and mutants that cannot be told from the kernel, as
redundancy.py proves or a file of lines

    KERNEL | KIND | PLACE | why the mutant is equivalent

says: shell patterns of the kernel's name and of the kind, and a regular
expression that matches within the text around the place, whose line begins with
a ">". Such a mutant that a run catches all the same counts as caught.
"""

import argparse
import collections
import fnmatch
import json
import os
import random
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mutations import Mutant, find_mutants, without_comments
from package_file import Package
from redundancy import ControlFlow, redundant

HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[2] / "build"
# Lines around a place that a rule of equivalence sees.
BEFORE, AFTER = 72, 28
# Every stage of a pipeline used again, and tails of every kind. Forward: as many masked
# tiles as there can be (with tiles of 192 queries and 80 or 128 keys, and of 128 queries
# and 112 keys), and causally masked CTAs without any key. Backward: so many rounds that
# an mbarrier with an arrival too few or too many drifts by a whole phase; many blocks of
# keys; each of the loops over masked blocks and over the others as the first, the latter
# with one block of keys; and full blocks of keys alone.
DEFAULT_PROBLEMS = {
    "forward": ("--batch 1 --heads 1 --seqlen-q 200 --seqlen-k 910", "--batch 1 --heads 2 --seqlen-q 390 --seqlen-k 130",
                "--batch 1 --heads 1 --seqlen-q 200 --seqlen-k 860"),
    "backward": ("--batch 1 --heads 2 --kv-heads 1 --seqlen-q 200 --seqlen-k 300",
                 "--batch 1 --heads 10 --kv-heads 1 --seqlen-q 130 --seqlen-k 330",
                 "--batch 1 --heads 1 --seqlen-q 130 --seqlen-k 700", "--batch 1 --heads 1 --seqlen-q 128 --seqlen-k 96",
                 "--batch 1 --heads 1 --seqlen-q 70 --seqlen-k 128"),
}


@dataclass
class Outcome:
    """How one mutant fared; at most one of the texts is not empty."""

    mutant: Mutant
    how: str = ""
    equivalent: str = ""
    executed: bool = True


class PackageRunner:
    """Runs mutants of a package with fa3-run."""

    def __init__(self, arguments):
        self.path = arguments.package
        self.package = Package(self.path.read_bytes())
        self.name = self.path.stem
        self.tool = arguments.fa3_run
        kind = self.package.manifest()["operation"]["kind"]
        self.problems = [shlex.split(problem) for problem in arguments.problem or DEFAULT_PROBLEMS[kind]]

    def text(self):
        return self.package.ptx()

    def mutants(self):
        yield from find_mutants(self.text())
        manifest = self.package.manifest()
        number = 0
        for i, kernel in enumerate(manifest["kernels"]):
            for j, parameter in enumerate(kernel["params"]):
                if parameter["kind"] != "tensor_map" or not parameter["swizzle"]:
                    continue
                number += 1
                changed = json.loads(json.dumps(manifest))
                before = parameter["swizzle"]
                # A box wider than the swizzle would be refused at once.
                after = 128 if before == 64 else 0
                changed["kernels"][i]["params"][j]["swizzle"] = after
                place = f"{parameter.get('name', j)}: {before}"
                mutant = Mutant("tensor map swizzle", number, self.last_line(kernel["name"]), place, str(after), "")
                mutant.package = self.package.with_manifest(changed)
                yield mutant

    def last_line(self, kernel):
        """The line of a kernel's return, which all problems execute that launch it."""
        lines = self.text().splitlines()
        begin = next(i for i, line in enumerate(lines) if f".entry {kernel}(" in line)
        return 1 + next(i for i, line in enumerate(lines) if i > begin and line.strip() == "ret;")

    def command(self, mutant, problem, seed, folder):
        package = self.path
        command = []
        if mutant is not None and hasattr(mutant, "package"):
            package = folder / "mutant.fa3"
            package.write_bytes(mutant.package)
        elif mutant is not None:
            ptx = folder / "mutant.ptx"
            ptx.write_text(mutant.text)
            command = ["--ptx", str(ptx)]
        return [str(self.tool), str(package), "--driver=emulator", "--check", "--emulator-seed", str(seed), *command,
                *problem]


class SnippetRunner:
    """Runs mutants of a PTX file that says how to run it (see conformance.py)."""

    def __init__(self, arguments):
        self.path = arguments.snippet
        self.name = self.path.stem
        self.problems = [[]]
        self.driver = arguments.driver
        self.dump = Path(tempfile.mkdtemp(prefix="planted_faults_"))

    def text(self):
        return self.path.read_text()

    def mutants(self):
        return find_mutants(self.text())

    def command(self, mutant, problem, seed, folder):
        """The kernel itself writes what the mutants are compared with."""
        path, action = self.path, "--write"
        if mutant is not None:
            path = folder / self.path.name
            path.write_text(mutant.text)
            action = "--check"
        return [sys.executable, str(HERE / "run_snippet.py"), str(path), "--driver", str(self.driver), action,
                str(self.dump)]


def run(runner, mutant, problem, seed, limit, covered=None):
    """Runs once; returns how it was caught, or an empty string.

    `covered` receives the lines that some thread executed.
    """
    with tempfile.TemporaryDirectory(prefix="planted_faults_") as name:
        folder = Path(name)
        diagnostics = folder / "diagnostics.jsonl"
        environment = {**os.environ, "FA3_EMULATOR_SEED": str(seed), "FA3_EMULATOR_DIAGNOSTICS": str(diagnostics)}
        coverage = folder / "coverage"
        if covered is not None:
            environment["FA3_EMULATOR_COVERAGE"] = str(coverage)
        # Seconds of the processor: a busy machine makes nothing of them.
        command = ["sh", "-c", f'ulimit -t {limit}; exec "$@"', "sh", *runner.command(mutant, problem, seed, folder)]
        result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                errors="replace")
        if result.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            return "does not end"
        if covered is not None and coverage.exists():
            covered.update(int(line.split()[-1]) for line in coverage.read_text().splitlines())
        if result.returncode == 0:
            return ""
        kinds = []
        if diagnostics.exists():
            kinds = [json.loads(line)["kind"] for line in diagnostics.read_text().splitlines()]
        if result.returncode < 0 or (result.returncode != 1 and not kinds) or "parse-error" in kinds:
            # A crash, or a mutant that is no PTX, is this test's own failure.
            raise RuntimeError(f"{mutant.name() if mutant else 'the kernel'}: exit status {result.returncode}\n"
                               f"{result.stdout[-2000:]}")
        return kinds[0] if kinds else "wrong result"


def attempt(runner, mutant, coverage, seeds, limit):
    """Tries the mutant on the problems that execute its line, the seeds in turn."""
    problems = [problem for problem, lines in zip(runner.problems, coverage) if not mutant.line or mutant.line in lines]
    for seed in seeds:
        for problem in problems:
            how = run(runner, mutant, problem, seed, limit)
            if how:
                return Outcome(mutant, f"{how} (seed {seed})")
    return Outcome(mutant, executed=bool(problems))


def read_equivalents(path):
    rules = []
    for line in path.read_text().splitlines() if path else []:
        if line.strip() and not line.lstrip().startswith("#"):
            kernel, kind, place, why = (part.strip() for part in line.split(" | ", 3))
            rules.append((kernel, kind, re.compile(place, re.MULTILINE), why))
    return rules


def equivalence(rules, kernel, mutant, lines):
    """Why the mutant is equivalent, or an empty string."""
    here = mutant.line - 1
    around = "\n".join((">" if i == here else "") + lines[i].strip()
                       for i in range(max(here - BEFORE, 0), min(here + AFTER + 1, len(lines))))
    for pattern, kind, place, why in rules:
        if fnmatch.fnmatch(kernel, pattern) and fnmatch.fnmatch(mutant.kind, kind) and place.search(around):
            return why
    return ""


def sample(mutants, count):
    """About `count` of them, the kinds in turn, the same in every run."""
    kinds = collections.defaultdict(list)
    for mutant in mutants:
        kinds[mutant.kind].append(mutant)
    chosen = []
    for kind in kinds.values():
        random.Random(len(kind)).shuffle(kind)
    while len(chosen) < count and any(kinds.values()):
        for kind in kinds.values():
            if kind and len(chosen) < count:
                chosen.append(kind.pop())
    return chosen


def report(name, outcomes, required):
    """Prints the table; returns whether enough were caught."""
    table = collections.defaultdict(lambda: [0, 0, 0, 0])
    for outcome in outcomes:
        column = 0 if outcome.how else 2 if outcome.equivalent else 1 if outcome.executed else 3
        table[outcome.mutant.kind][column] += 1
    print(f"\n{name}\n{'kind':34} {'caught':>7} {'survived':>9} {'equivalent':>11} {'not executed':>13}")
    table["total"] = [sum(row[i] for row in table.values()) for i in range(4)]
    for kind in [*sorted(kind for kind in table if kind != "total"), "total"]:
        print(f"{kind:34} {table[kind][0]:7} {table[kind][1]:9} {table[kind][2]:11} {table[kind][3]:13}")
    caught, survived = table["total"][:2]
    for outcome in outcomes:
        if not outcome.executed:
            print(f"not executed: {outcome.mutant.name()}, line {outcome.mutant.line}: {outcome.mutant.before}")
        elif not outcome.how and not outcome.equivalent:
            print(f"survived: {outcome.mutant.name()}, line {outcome.mutant.line}: {outcome.mutant.before}"
                  f" -> {outcome.mutant.after or 'nothing'}")
        elif outcome.equivalent:
            print(f"equivalent: {outcome.mutant.name()}: {outcome.equivalent}")
    share = 100.0 * caught / (caught + survived) if caught + survived else 100.0
    print(f"{caught} of {caught + survived} planted faults caught: {share:.1f}%, required {required:g}%")
    return share >= required


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--package", type=Path)
    which.add_argument("--snippet", type=Path)
    parser.add_argument("--fa3-run", type=Path, default=BUILD / "bin" / "fa3-run")
    parser.add_argument("--driver", type=Path, default=BUILD / "lib" / "libfa3_emulator.so")
    parser.add_argument("--problem", action="append", metavar="ARGUMENTS", help="of fa3-run; may be repeated")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--sample", type=int, default=0, help="try only about so many mutants")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--limit", type=int, default=120, help="seconds of the processor for one run")
    parser.add_argument("--required", type=float, default=95, help="percent that must be caught")
    parser.add_argument("--equivalents", type=Path, help="the list of equivalent mutants")
    parser.add_argument("--only", default="*", help="a pattern of kinds")
    parser.add_argument("--list", action="store_true", help="print the mutants, those proven redundant marked, and stop")
    parser.add_argument("--verbose", action="store_true", help="print each outcome")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    # So that CTAs of a persistent kernel compute several tiles of these problems.
    os.environ.setdefault("FA3_EMULATOR_MULTIPROCESSORS", "2")
    runner = PackageRunner(arguments) if arguments.package else SnippetRunner(arguments)
    mutants = [m for m in runner.mutants() if fnmatch.fnmatch(m.kind, arguments.only)]
    if arguments.sample:
        mutants = sample(mutants, arguments.sample)
    plain = without_comments(runner.text())
    lines, flow = plain.splitlines(), ControlFlow(plain)
    if arguments.list:
        for mutant in mutants:
            proof = redundant(flow, mutant)
            print(f"{mutant.name()}, line {mutant.line}: {mutant.before} -> {mutant.after or 'nothing'}"
                  f"{', redundant: ' if proof else ''}{proof}")
        return 0
    seeds = range(1, arguments.seeds + 1)
    coverage = [set() for _ in runner.problems]
    for problem, covered in zip(runner.problems, coverage):
        for seed in seeds:
            how = run(runner, None, problem, seed, arguments.limit, covered)
            if how:
                print(f"{runner.name}: the kernel itself fails with seed {seed}: {how}")
                return 1
    rules = read_equivalents(arguments.equivalents)

    def examine(mutant):
        proof = redundant(flow, mutant)
        # A proof needs no more than a check.
        outcome = attempt(runner, mutant, coverage, seeds[:1] if proof else seeds, arguments.limit)
        if outcome.executed and not outcome.how:
            outcome.equivalent = proof or equivalence(rules, runner.name, mutant, lines)
        if arguments.verbose:
            fate = outcome.how or outcome.equivalent or ("SURVIVED" if outcome.executed else "not executed")
            print(f"{mutant.name()}, line {mutant.line}: {fate}", flush=True)
        return outcome

    with ThreadPoolExecutor(arguments.jobs) as pool:
        outcomes = list(pool.map(examine, mutants))
    return 0 if report(runner.name, outcomes, arguments.required) else 1


if __name__ == "__main__":
    sys.exit(main())
