#!/usr/bin/env python3
"""Feeds damaged PTX to the emulator; any crash fails.

    fuzz_ptx.py --seconds 600 --driver build-asan/lib/libfa3_emulator.so [--keep DIR]

Takes the conformance snippets (or --corpus), damages characters, tokens and
lines, loads what comes out and launches every kernel in it with parameters that
are partly valid. The emulator may refuse, diagnose or run it. For a library with
AddressSanitizer, set LD_PRELOAD to the sanitizer's own library.
"""

import argparse
import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOKEN = re.compile(r"[\w.%$]+|\s+|.")
# A loop that never ends is no crash.
INSTRUCTIONS = 20000
BATCH = 200


def damage(text, generator, others):
    """Applies a few random changes to a text."""
    for _ in range(generator.choice((1, 1, 1, 2, 3, 8))):
        choice = generator.randrange(9)
        if choice == 0 and text:
            at = generator.randrange(len(text))
            text = text[:at] + chr(generator.randrange(1, 256)) + text[at + 1:]
        elif choice == 1:
            text = text[:generator.randrange(len(text) + 1)]
        elif choice == 2:
            lines = text.split("\n")
            lines.insert(generator.randrange(len(lines) + 1), generator.choice(generator.choice(others).split("\n")))
            text = "\n".join(lines)
        elif choice == 3:
            lines = text.split("\n")
            del lines[generator.randrange(len(lines))]
            text = "\n".join(lines)
        else:
            text = change_token(text, generator, others, choice)
    return text.replace("\0", " ")


def change_token(text, generator, others, choice):
    tokens = TOKEN.findall(text)
    if not tokens:
        return text
    at = generator.randrange(len(tokens))
    if choice == 4:
        tokens[at] = ""
    elif choice == 5:
        tokens[at] *= generator.choice((2, 3, 1000))
    elif choice == 6:
        tokens[at] = generator.choice(TOKEN.findall(generator.choice(others)) or [""])
    elif choice == 7:
        numbers = [i for i, token in enumerate(tokens) if token.isdigit()]
        if numbers:
            tokens[generator.choice(numbers)] = generator.choice(
                ("0", "-1", "1", "31", "32", "64", "255", "65536", "4294967295", "4294967296", "0x7fffffffffffffff",
                 "18446744073709551615", "99999999999999999999999", "1e9", "0f7F800000"))
    else:
        parts = tokens[at].split(".")
        if len(parts) > 1:
            parts[generator.randrange(len(parts))] = generator.choice(
                ("u8", "s64", "f16x2", "b128", "pred", "shared", "global", "v4", "x4", "rn", "sync", "bf16", ""))
            tokens[at] = ".".join(parts)
    return "".join(tokens)


def work(arguments):
    """Runs cases one after the other; says which one before each."""
    import ctypes
    from cuda_driver import Driver, DriverError, TensorMap

    corpus = [path.read_text(errors="replace") for path in sorted(arguments.corpus.glob("*.ptx"))]
    driver = Driver(str(arguments.driver.resolve()))
    buffer = driver.allocate(1 << 16)
    # More parameters than any kernel takes, each as large as all may be.
    memory = [ctypes.create_string_buffer(1 << 15) for _ in range(64)]
    parameters = [ctypes.c_char.from_buffer(slot) for slot in memory]
    for case in range(arguments.first, arguments.first + BATCH):
        generator = random.Random(case)
        text = damage(generator.choice(corpus), generator, corpus)
        print(case, flush=True)
        try:
            library = driver.load(text)
        except (DriverError, UnicodeEncodeError):
            continue
        names = re.findall(r"\.entry\s+([\w$]+)", text)
        for name in names[:2]:
            try:
                function = driver.function(library, name)
                driver.result("cuFuncSetAttribute", function, 8, 100000)
                _, tensor_map = driver.encode_tiled(9, buffer, [64, 16], [128], [64, 8], swizzle=3)
                choices = (ctypes.c_uint64(buffer), tensor_map, TensorMap(),
                           ctypes.c_uint64(generator.getrandbits(64)), ctypes.c_uint64(buffer))
                for slot in memory:
                    value = generator.choice(choices)
                    ctypes.memmove(slot, value.address if isinstance(value, TensorMap) else ctypes.addressof(value),
                                   128 if isinstance(value, TensorMap) else 8)
                code = driver.launch(function, (generator.choice((1, 1, 2)), 1, 1),
                                     (generator.choice((1, 32, 128, 128)), 1, 1),
                                     generator.choice((0, 4096, 40000, 100000)), parameters)
                if code == 0:
                    driver.synchronize()
            except DriverError:
                driver.reset()
                buffer = driver.allocate(1 << 16)
        driver.result("cuLibraryUnload", library)
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--driver", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, default=HERE / "snippets")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--first", type=int, default=0, help="the first case")
    parser.add_argument("--keep", type=Path, help="where the texts that crash go")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        return work(arguments)
    end = time.monotonic() + arguments.seconds
    case, cases, crashes = arguments.first, 0, []
    environment = {**os.environ, "FA3_EMULATOR_INSTRUCTIONS": str(INSTRUCTIONS)}
    while time.monotonic() < end:
        command = [sys.executable, __file__, "--work", "--first", str(case), "--driver", str(arguments.driver),
                   "--corpus", str(arguments.corpus)]
        try:
            result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                    timeout=300, text=True, errors="replace")
            done, status, errors = result.stdout.split(), result.returncode, result.stderr
        except subprocess.TimeoutExpired as error:
            done, status, errors = (error.stdout or b"").decode().split(), "no end", ""
        if status and not done:
            sys.exit(f"the library cannot be used:\n{errors}")
        if status:
            failed = int(done[-1])
            crashes.append(failed)
            other = [line for line in errors.splitlines() if not line.startswith("fa3-emulator:")]
            print(f"case {failed}: exit status {status}\n" + "\n".join(other[:40]), flush=True)
            if arguments.keep:
                keep(arguments, failed)
            case, cases = failed + 1, cases + failed + 1 - case
        else:
            case, cases = case + BATCH, cases + BATCH
    print(f"{cases} cases, {len(crashes)} crashes")
    return 1 if crashes else 0


def keep(arguments, case):
    corpus = [path.read_text(errors="replace") for path in sorted(arguments.corpus.glob("*.ptx"))]
    generator = random.Random(case)
    text = damage(generator.choice(corpus), generator, corpus)
    arguments.keep.mkdir(parents=True, exist_ok=True)
    (arguments.keep / f"case{case}.ptx").write_text(text, errors="replace")


if __name__ == "__main__":
    sys.exit(main())
