#!/usr/bin/env python3
"""Checks that the relative links of the Markdown pages lead somewhere."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main():
    broken = 0
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "bench").rglob("*.md"))]:
        text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if "://" not in target and not (page.parent / target).exists():
                print(f"{page.relative_to(ROOT)}: broken link to {target}")
                broken += 1
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
