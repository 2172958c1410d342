#!/usr/bin/env python3
"""Runs PTX files that say how to run them, and keeps or compares their outputs.

It stops at the first one that fails, which nothing can follow in a process: the
context is lost. The exit status is 1 if the driver reports an error or the
outputs differ.
"""

import argparse
import sys
from pathlib import Path

from cuda_driver import Driver, DriverError
from snippet import Snippet


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("snippets", type=Path, nargs="+")
    parser.add_argument("--driver", required=True)
    parser.add_argument("--write", type=Path, metavar="DIR", help="keep the outputs as DIR/NAME.bin")
    parser.add_argument("--check", type=Path, metavar="DIR", help="compare the outputs with those kept")
    arguments = parser.parse_args()
    driver = Driver(arguments.driver)
    for path in arguments.snippets:
        snippet = Snippet(path)
        try:
            outputs = snippet.run(driver)
        except DriverError as error:
            print(f"{snippet.name}: {error}")
            return 1
        if arguments.write:
            (arguments.write / f"{snippet.name}.bin").write_bytes(outputs)
        if arguments.check:
            expected = (arguments.check / f"{snippet.name}.bin").read_bytes()
            for name, _, bad, _, example in snippet.compare(expected, outputs):
                if bad:
                    print(f"{snippet.name}.{name}: {bad} differ, {example}")
                    return 1
        if snippet.fails():
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
