#!/usr/bin/env python3
"""Runs the test suites and adds up their results.

The last line of the output is `N passed, N failed, N skipped`. The exit status
is 0 only if something passed and nothing failed.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIT = "/usr/lib/llvm-22/bin/lit"


class Counts:
    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def __iadd__(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        return self

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def run(command, **arguments):
    sys.stdout.flush()
    return subprocess.run([str(part) for part in command], **arguments).returncode


def cache_entry(build, name, default):
    """The value of a variable in CMake's cache."""
    for line in (build / "CMakeCache.txt").read_text().splitlines():
        if line.startswith(name + ":"):
            return line.split("=", 1)[1]
    return default


def run_lit(options):
    """The lit suite: everything below test/ that is not a unit test."""
    report = options.build / "test" / "lit.json"
    report.unlink(missing_ok=True)
    command = [cache_entry(options.build, "FA3_LIT", LIT), options.build / "test", "-j", options.jobs,
               "--output", report, "-v" if options.filter else "-sv"]
    if options.times:
        command += ["--time-tests"]
    if options.filter:
        command += ["--filter", options.filter]
    status = run(command)
    if not report.exists():
        print(f"lit itself failed with exit status {status}")
        return Counts(failed=1)
    counts = Counts()
    for test in json.loads(report.read_text())["tests"]:
        code = test["code"]
        if code in ("PASS", "XFAIL", "FLAKYPASS"):
            counts.passed += 1
        elif code in ("UNSUPPORTED", "SKIPPED"):
            counts.skipped += 1
        elif code != "EXCLUDED":
            counts.failed += 1
    return counts


def run_unit(options):
    """The GoogleTest suites, one ctest test for each of their cases."""
    report = options.build / "test" / "unit.xml"
    report.unlink(missing_ok=True)
    command = ["ctest", "--test-dir", options.build, "--output-on-failure", "--no-tests=ignore", "-j", options.jobs,
               "--timeout", "300", "--output-junit", report]
    if options.filter:
        command += ["-R", options.filter]
    output = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if output.returncode or options.filter:
        print(output.stdout)
    if not report.exists():
        print(f"ctest itself failed with exit status {output.returncode}")
        return Counts(failed=1)
    counts = Counts()
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        state = case.get("status")
        if state == "run":
            counts.passed += 1
        elif state in ("notrun", "disabled") and case.find("failure") is None:
            counts.skipped += 1
        else:
            counts.failed += 1
    return counts


def run_checks(options):
    """Checks of the sources themselves."""
    checks = {
        "sources are formatted (make format)": ["make", "-s", "check-format"],
        "docs/reference is up to date (make docs)": ["python3", ROOT / "scripts" / "gen_docs.py", "--check"],
        "links in the documentation": ["python3", ROOT / "scripts" / "check_links.py"],
    }
    counts = Counts()
    for name, command in checks.items():
        passed = run(command, cwd=ROOT) == 0
        print(f"{'PASS' if passed else 'FAIL'}: {name}")
        counts += Counts(passed=1) if passed else Counts(failed=1)
    return counts


SUITES = {"checks": run_checks, "unit": run_unit, "lit": run_lit}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--jobs", default=str(os.cpu_count()))
    parser.add_argument("--suite", action="append", choices=SUITES, help="only this suite")
    parser.add_argument("--filter", default="", help="regular expression on test names (lit and unit)")
    parser.add_argument("--times", action="store_true", help="print the slowest lit tests")
    options = parser.parse_args()
    options.build = options.build.resolve()

    total = Counts()
    summary = []
    for name in options.suite or SUITES:
        print(f"== {name}")
        start = time.monotonic()
        counts = SUITES[name](options)
        summary.append(f"{name}: {counts} in {time.monotonic() - start:.0f} s")
        total += counts
    print("\n".join(["", *summary]))
    print(total)
    return 0 if total.passed and not total.failed else 1


if __name__ == "__main__":
    sys.exit(main())
