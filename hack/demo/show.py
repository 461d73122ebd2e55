"""What a person sees: headlines, commands, and one line for each change of a rollout."""

from __future__ import annotations

import os
import shutil
import textwrap
from typing import Any, TextIO

BOLD, DIM, RED, GREEN, YELLOW, CYAN = "1", "2", "31", "32", "33", "36"
COLOURS = {
    "Healthy": GREEN,
    "Promoting": GREEN,
    "Baking": CYAN,
    "Progressing": CYAN,
    "Passing": GREEN,
    "Failing": RED,
    "RollingBack": RED,
    "RolledBack": YELLOW,
    "Aborted": YELLOW,
    "Held": YELLOW,
    "Conflict": RED,
    "Invalid": RED,
    "Open": GREEN,
    "Preparing": CYAN,
}
INDENT = "   "
COLUMNS = "{:<8}  {:<15}  {:<4}  {:>6}  "


class Screen:
    """Writes lines; colour and the width of the window only on a terminal."""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self.tty = out.isatty()
        self.colour = self.tty and not os.environ.get("NO_COLOR")
        self.width = max(80, shutil.get_terminal_size().columns) if self.tty else 120
        self.parts = 0

    def paint(self, text: str, code: str | None) -> str:
        return f"\033[{code}m{text}\033[0m" if self.colour and code else text

    def line(self, text: str = "") -> None:
        print(text, file=self.out, flush=True)

    def part(self, title: str, *explained: str) -> None:
        """A numbered headline and what it is about."""
        self.parts += 1
        self.line()
        self.line(self.paint(f"{self.parts}. {title}", BOLD))
        for paragraph in explained:
            self.text(paragraph)

    def text(self, paragraph: str) -> None:
        for line in textwrap.wrap(paragraph, min(self.width, 100) - len(INDENT)):
            self.line(INDENT + line)

    def done(self, what: str, detail: str, seconds: float) -> None:
        self.line(f"{INDENT}{what:<14} {detail:<60} {seconds:5.1f} s")

    def command(self, text: str) -> None:
        self.line()
        self.line(INDENT + self.paint(f"$ {text}", BOLD))

    def output(self, text: str) -> None:
        for line in text.rstrip().splitlines():
            self.line(INDENT + line)

    def success(self, text: str) -> None:
        self.line()
        self.line(self.paint(text, f"{BOLD};{GREEN}"))

    def failure(self, text: str) -> None:
        self.line()
        self.line(self.paint(text, f"{BOLD};{RED}"))

    def columns(self) -> None:
        heads = COLUMNS.format("TIME", "PHASE", "STEP", "WEIGHT") + "WHAT HAPPENS"
        self.line(INDENT + self.paint(heads, DIM))

    def row(self, time: str, phase: str, step: str, weight: str, what: str, word: str = "") -> None:
        """One line of the table; long text goes on in its own column. Phase and `word` are coloured."""
        indent = INDENT + " " * len(COLUMNS.format("", "", "", ""))
        first, *rest = textwrap.wrap(what, max(40, self.width - len(indent))) or [""]
        cells = COLUMNS.format(time, phase, step, weight)
        cells = cells.replace(phase, self.paint(phase, COLOURS.get(phase)), 1) if phase else cells
        first = first.replace(word, self.paint(word, COLOURS.get(word)), 1) if word else first
        self.line(INDENT + cells + first)
        for more in rest:
            self.line(indent + more)


class Changes:
    """Turns the states of one rollout into lines: what did not change is not said again."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.told: tuple[Any, ...] | None = None
        self.verdicts: dict[str, str] = {}

    def see(self, time: str, status: dict[str, Any]) -> None:
        phase = status.get("phase")
        if not phase:
            return
        for verdict in status.get("analysis", []):
            if self.verdicts.get(verdict["name"]) != verdict["verdict"]:
                self.verdicts[verdict["name"]] = verdict["verdict"]
                self.screen.row(time, "", "", "", explain(verdict), verdict["verdict"])
        step = status.get("step", {}).get("display", "")
        canary = status.get("canary", {})
        weight = f"{canary['weight']}%" if "weight" in canary else ""
        state = (phase, step, weight)
        if state != self.told:
            self.told = state
            self.screen.row(time, phase, step, weight, status.get("message", ""))


def explain(verdict: dict[str, Any]) -> str:
    """errors Failing: 31.2% of 96 calls (limit 5%; stable version: 0.4% of 870 calls)"""

    def side(name: str) -> str:
        numbers = verdict.get(name) or {}
        samples = numbers.get("samples")
        value = numbers.get("value", "no data")
        return value if samples is None else f"{value} of {samples} calls"

    limits = [f"limit {verdict['limit']}"] if verdict.get("limit") else []
    limits += [f"stable version: {side('stable')}"] if verdict.get("stable") else []
    return f"{verdict['name']} {verdict['verdict']}: {side('canary')}" + (f" ({'; '.join(limits)})" if limits else "")
