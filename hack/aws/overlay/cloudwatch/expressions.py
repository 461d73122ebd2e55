"""Metric math: numbers, ids, arithmetic, comparison, and the functions that are named in FUNCTIONS.

A value is a number or a series {time: value}. Two series combine where both have a datapoint; a division by zero gives none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import AwsError

Points = dict[int, float]
Value = float | Points | list[Points]

_TOKEN = re.compile(
    r"\s*(?:(\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|\.\d+)|([A-Za-z][A-Za-z0-9_]*)|(\"[^\"]*\"|'[^']*')|(<=|>=|==|!=|&&|\|\||[-+*/^%(),<>\[\]]))"
)
_MAX_DEPTH = 50


def expression_error(message: str) -> AwsError:
    return AwsError("ValidationError", f"Error in expression: {message}", 400, shape="ValidationException")


@dataclass
class Scope:
    """What an expression sees: the series of other queries by id, the times of the request, and the period."""

    lookup: Callable[[str], Points]
    metrics: Callable[[], list[Points]]
    times: list[int]
    period: int


def evaluate(text: str, scope: Scope) -> Points:
    """The series of an expression; it must not be a mere number."""
    parser = _Parser(text, scope)
    value = parser.expression()
    parser.end()
    if not isinstance(value, dict):
        raise expression_error(f"{text!r} is not a time series")
    return value


class _Parser:
    def __init__(self, text: str, scope: Scope) -> None:
        self.text = text
        self.scope = scope
        self.tokens = _tokens(text)
        self.at = 0
        self.depth = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *wanted: str) -> str | None:
        if self.peek() in wanted and self.peek():
            self.at += 1
            return self.tokens[self.at - 1]
        return None

    def need(self, token: str) -> None:
        if not self.take(token):
            raise expression_error(f"{token!r} expected in {self.text!r}")

    def end(self) -> None:
        if self.peek():
            raise expression_error(f"{self.peek()!r} is unexpected in {self.text!r}")

    def expression(self) -> Value:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise expression_error("nested too deeply")
        value = self._binary(0)
        self.depth -= 1
        return value

    def _binary(self, level: int) -> Value:
        if level == len(_LEVELS):
            return self._unary()
        value = self._binary(level + 1)
        while operator := self.take(*_LEVELS[level]):
            value = combine(_OPERATORS[operator], value, self._binary(level + 1))
        return value

    def _unary(self) -> Value:
        if self.take("-"):
            return combine(_OPERATORS["*"], -1.0, self._unary())
        value = self._atom()
        if self.take("^"):
            return combine(_OPERATORS["^"], value, self._unary())
        return value

    def _atom(self) -> Value:
        if self.take("("):
            value = self.expression()
            self.need(")")
            return value
        if self.take("["):
            items = self._list("]")
            return [item for item in items if isinstance(item, dict)]
        token = self.peek()
        self.at += 1
        if not token:
            raise expression_error(f"{self.text!r} ends too early")
        if token[0].isdigit() or token[0] == ".":
            return float(token)
        if not token[0].isalpha():
            raise expression_error(f"{token!r} is unexpected in {self.text!r}")
        if self.take("("):
            return self._call(token.upper())
        return self.scope.lookup(token)

    def _list(self, close: str) -> list[Value]:
        items: list[Value] = []
        while not self.take(close):
            if items:
                self.need(",")
            items.append(self.expression())
        return items

    def _call(self, name: str) -> Value:
        if name == "METRICS":
            self.need(")")
            return self.scope.metrics()
        if name == "FILL":
            return self._fill()
        function = FUNCTIONS.get(name)
        if function is None:
            raise expression_error(f"the stand-in has no function {name}")
        arguments = self._list(")")
        if name == "PERIOD":
            return float(self.scope.period)
        try:
            return function(*arguments)
        except TypeError:
            raise expression_error(f"{name} has wrong arguments in {self.text!r}") from None

    def _fill(self) -> Value:
        series = self.expression()
        self.need(",")
        word = self.take("REPEAT", "LINEAR")
        filler = None if word else self.expression()
        self.need(")")
        if not isinstance(series, dict):
            raise expression_error("FILL needs a time series")
        return _filled(series, word, filler, self.scope.times)


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            raise expression_error(f"{text[at:]!r} cannot be read")
        tokens.append(found.group().strip())
        at = found.end()
    return tokens


def combine(operator: Callable[[float, float], float | None], left: Value, right: Value) -> Value:
    if isinstance(left, list) or isinstance(right, list):
        raise expression_error("arithmetic on an array needs a function such as SUM")
    if isinstance(left, dict) and isinstance(right, dict):
        pairs = [(time, operator(left[time], right[time])) for time in left if time in right]
    elif isinstance(left, dict):
        pairs = [(time, operator(value, float(right))) for time, value in left.items()]  # type: ignore[arg-type]
    elif isinstance(right, dict):
        pairs = [(time, operator(float(left), value)) for time, value in right.items()]
    else:
        number = operator(left, right)
        if number is None:
            raise expression_error("division by zero")
        return number
    return {time: value for time, value in pairs if value is not None}


def _divide(a: float, b: float) -> float | None:
    return a / b if b else None


def _power(a: float, b: float) -> float | None:
    try:
        result = a**b
    except (OverflowError, ZeroDivisionError):
        return None
    return result if isinstance(result, float) else None


_OPERATORS: dict[str, Callable[[float, float], float | None]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _divide,
    "%": lambda a, b: math.fmod(a, b) if b else None,
    "^": _power,
    "<": lambda a, b: float(a < b),
    ">": lambda a, b: float(a > b),
    "<=": lambda a, b: float(a <= b),
    ">=": lambda a, b: float(a >= b),
    "==": lambda a, b: float(a == b),
    "!=": lambda a, b: float(a != b),
    "&&": lambda a, b: float(bool(a) and bool(b)),
    "||": lambda a, b: float(bool(a) or bool(b)),
}
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",),
    ("&&",),
    ("==", "!=", "<", ">", "<=", ">="),
    ("+", "-"),
    ("*", "/", "%"),
)


def _filled(series: Points, word: str | None, filler: Value | None, times: list[int]) -> Points:
    if word == "LINEAR":
        return {time: value for time in times if (value := _linear(series, time)) is not None}
    filled: Points = {}
    last: float | None = None
    for time in times:
        if time in series:
            last = filled[time] = series[time]
        elif word == "REPEAT":
            if last is not None:
                filled[time] = last
        elif isinstance(filler, dict):
            if time in filler:
                filled[time] = filler[time]
        elif isinstance(filler, float):
            filled[time] = filler
    return filled


def _linear(series: Points, time: int) -> float | None:
    if time in series:
        return series[time]
    before = max((t for t in series if t < time), default=None)
    after = min((t for t in series if t > time), default=None)
    if before is None or after is None:
        return None
    return series[before] + (series[after] - series[before]) * (time - before) / (after - before)


def _over(reduce: Callable[[list[float]], float]) -> Callable[[Value], Value]:
    """Over an array: per time, of those that have a datapoint then. Over one series: of its values, a number."""

    def apply(value: Value) -> Value:
        if isinstance(value, dict):
            if not value:
                return {}
            return reduce(list(value.values()))
        if not isinstance(value, list):
            raise expression_error("a function over series got a number")
        columns: dict[int, list[float]] = {}
        for series in value:
            for time, number in series.items():
                columns.setdefault(time, []).append(number)
        return {time: reduce(numbers) for time, numbers in columns.items()}

    return apply


def _each(function: Callable[[float], float]) -> Callable[[Value], Value]:
    return lambda value: combine(lambda a, _: float(function(a)), value, 0.0)


def _if(condition: Value, then: Value, otherwise: Value = math.nan) -> Value:
    """Points where the condition has none are left out; so are those whose chosen branch has none."""
    if not isinstance(condition, dict):
        return then if condition else otherwise
    chosen = {time: then if flag else otherwise for time, flag in condition.items()}
    picked = {time: value.get(time) if isinstance(value, dict) else value for time, value in chosen.items()}
    return {time: float(v) for time, v in picked.items() if isinstance(v, float) and not math.isnan(v)}


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "SUM": _over(sum),
    "AVG": _over(lambda numbers: sum(numbers) / len(numbers)),
    "MIN": _over(min),
    "MAX": _over(max),
    "ABS": _each(abs),
    "CEIL": _each(math.ceil),
    "FLOOR": _each(math.floor),
    "IF": _if,
    "PERIOD": lambda _series: 0.0,
}
