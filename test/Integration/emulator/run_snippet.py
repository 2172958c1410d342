#!/usr/bin/env python3
"""Runs one PTX file that says how to run it, and keeps or compares its outputs.

The exit status is 1 if the driver reports an error or the outputs differ.
"""

import argparse
import sys
from pathlib import Path

import snippet_data
from conformance import Snippet
from cuda_driver import Driver, DriverError


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("snippet", type=Path)
    parser.add_argument("--driver", required=True)
    parser.add_argument("--write", type=Path, metavar="FILE", help="keep the outputs")
    parser.add_argument("--check", type=Path, metavar="FILE", help="compare the outputs with those kept")
    arguments = parser.parse_args()
    snippet = Snippet(arguments.snippet)
    try:
        outputs = snippet.run(Driver(arguments.driver))
    except DriverError as error:
        print(error)
        return 1
    if arguments.write:
        arguments.write.write_bytes(b"".join(outputs))
    if not arguments.check:
        return 0
    expected, offset, wrong = arguments.check.read_bytes(), 0, 0
    for (name, kind, tolerance), actual in zip(snippet.outputs(), outputs):
        bad, _, example = snippet_data.compare(kind, tolerance, expected[offset:offset + len(actual)], actual)
        offset += len(actual)
        wrong += bad
        if bad:
            print(f"{name}: {bad} differ, {example}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
