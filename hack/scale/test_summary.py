"""What several runs print becomes one line for each figure."""

from __future__ import annotations

from summary import figures, table

PRINTED = """
running 1 test
test scale::healthy::rest ... scale: 10 healthy, RSS: 58.0 MB (at most 60.0)
scale: 10 healthy, calls of AWS: 0.25 a second
scale: apply to AWS, p1 p50: [-1.0, 2.0] ms
scale: 3 of 100 went on before the last one was back
test scale::healthy::rest ... ok
scale: 10 healthy, RSS: 59.5 MB (at most 60.0)
scale: 10 healthy, RSS: 58.5 MB (at most 60.0)
scale: first, p50: -1.50 ms
"""


def test_figures_are_found_wherever_a_line_begins_and_nothing_else_is() -> None:
    assert figures(PRINTED.splitlines(keepends=True)) == {
        "10 healthy, RSS, MB (at most 60.0)": [58.0, 59.5, 58.5],
        "10 healthy, calls of AWS, a second": [0.25],
        "first, p50, ms": [-1.5],
    }


def test_a_figure_is_its_median_and_its_spread() -> None:
    assert table({"RSS, MB": [58.0, 59.5, 58.5, 60.0]})[2:] == ["| RSS, MB | 59.00 | 58.00 | 60.00 | 4 |"]
