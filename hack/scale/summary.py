"""Sums up several runs of `make scale`: of each figure the median, and how far the runs lie apart.

It reads what the tests print, and prints it on; figures are lines of the form `scale: <what>: <number> <unit>`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from statistics import median

FIGURE = re.compile(r"scale: (?P<what>.+): (?P<value>-?\d+(?:\.\d+)?) (?P<unit>[^()]+?)(?P<bound> \(at most [\d.]+\))?\s*")


def figures(lines: Iterable[str]) -> dict[str, list[float]]:
    """The values of each figure, by what is measured, its unit and its bound, in the order they came."""
    found: dict[str, list[float]] = {}
    for line in lines:
        # The test runner's own words may stand before the first one.
        if match := FIGURE.fullmatch(line[max(line.find("scale: "), 0) :]):
            name = f"{match['what']}, {match['unit']}{match['bound'] or ''}"
            found.setdefault(name, []).append(float(match["value"]))
    return found


def table(found: dict[str, list[float]]) -> list[str]:
    """One line for each figure, as a table in Markdown."""
    lines = ["| what | median | lowest | highest | runs |", "|---|---|---|---|---|"]
    for name, values in found.items():
        numbers = " | ".join(f"{number:.2f}" for number in (median(values), min(values), max(values)))
        lines.append(f"| {name} | {numbers} | {len(values)} |")
    return lines


def main() -> None:
    seen = []
    for line in sys.stdin:
        print(line, end="", flush=True)
        seen.append(line)
    print("\n".join(["", *table(figures(seen))]))


if __name__ == "__main__":
    main()
