"""Arithmetic of numbers that a MATLAB text writes out: `12/sqrt(3)`, `1e3*2`, `-(2 + 3)^2`.

Evaluated are numbers, names that the caller gives a value, the four operations, powers, brackets
and a few functions of one number. Everything else is a fault; nothing is looked up or run.

MATLAB's order of operations: powers from the left before signs, before products, before sums.
"""

import math
import re
from collections.abc import Callable, Mapping

MAX_LENGTH, MAX_DEPTH = 300, 20  # characters of an expression, brackets within each other
NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?", re.ASCII)
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
OPERATOR = re.compile(r"\.?[*/^]|[+-]")
CONSTANTS = {"pi": math.pi, "Inf": math.inf, "inf": math.inf, "NaN": math.nan, "nan": math.nan}
FUNCTIONS: dict[str, Callable[[float], float]] = {
    "sqrt": math.sqrt, "abs": abs, "exp": math.exp, "log": math.log, "log10": math.log10,
    "sin": math.sin, "cos": math.cos, "tan": math.tan,
    "asin": math.asin, "acos": math.acos, "atan": math.atan,
}  # fmt: skip


class ExpressionError(ValueError):
    """Why an expression has no value here."""


def evaluate(text: str, names: Mapping[str, float] | None = None) -> float:
    """The value of an expression of numbers.

    Parameters
    ----------
    names
        Values of further names.

    Raises
    ------
    ExpressionError
        It is too long, no arithmetic, names what has no value, or has no real value.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"is longer than {MAX_LENGTH} characters")
    reader = _Reader(text, {**CONSTANTS, **(names or {})})
    try:
        value = reader.sum()
    except (ValueError, OverflowError, ZeroDivisionError) as fault:
        if isinstance(fault, ExpressionError):
            raise
        raise ExpressionError("has no finite real value") from None
    if reader.rest():
        raise ExpressionError(f"is not a number: `{reader.rest()[:20]}` in it is not understood")
    return value


def split_cells(text: str) -> list[str]:
    """The cells of a row of a matrix, apart by spaces or commas as MATLAB takes them.

    A sign behind a space and before none begins a cell (`1 -2` are two); between two spaces, or
    behind an operator or bracket, it belongs to its expression (`1 - 2` is one).
    """
    cells: list[str] = []
    current: list[str] = []
    depth = 0
    text = " ".join(text.split())
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth <= 0 and (letter == "," or (letter == " " and _ends_cell(text, at, current))):
            cells.append("".join(current))
            current = []
        elif letter != " " or current:
            current.append(letter)
    return [cell.strip() for cell in [*cells, "".join(current)] if cell.strip()]


def _ends_cell(text: str, at: int, current: list[str]) -> bool:
    """Whether the space at `at` is behind a whole cell."""
    if not current or current[-1] in "+-*/^(":
        return False
    after = text[at + 1 : at + 3]
    if after[:1] in ("*", "/", "^") or (after[:1] == "." and after[1:] in ("*", "/", "^")):
        return False
    return not (after[:1] in ("+", "-") and (len(after) < 2 or after[1] == " "))


class _Reader:
    """Reads one expression from left to right."""

    def __init__(self, text: str, names: Mapping[str, float]) -> None:
        self.text, self.names, self.at = text, names, 0
        self.depth = 0

    def rest(self) -> str:
        """What is not read yet."""
        return self.text[self.at :].strip()

    def sum(self) -> float:
        """Products, added and subtracted."""
        value = self._product()
        while sign := self._operator("+", "-"):
            other = self._product()
            value = value + other if sign == "+" else value - other
        return value

    def _product(self) -> float:
        value = self._signed()
        while sign := self._operator("*", "/"):
            other = self._signed()
            value = value * other if sign == "*" else value / other
        return value

    def _signed(self) -> float:
        sign = 1.0
        while found := self._operator("+", "-"):
            sign = -sign if found == "-" else sign
        return sign * self._power()

    def _power(self) -> float:
        value = self._atom()
        while self._operator("^"):
            sign = 1.0
            while found := self._operator("+", "-"):
                sign = -sign if found == "-" else sign
            value = math.pow(value, sign * self._atom())
        return value

    def _operator(self, *wanted: str) -> str:
        """The next operator where it is one of those wanted, without its dot; else nothing."""
        self._skip()
        found = OPERATOR.match(self.text, self.at)
        if found is None or found[0][-1] not in wanted:
            return ""
        self.at = found.end()
        return found[0][-1]

    def _atom(self) -> float:
        self._skip()
        if self._takes("("):
            return self._bracket()
        if found := NUMBER.match(self.text, self.at):
            self.at = found.end()
            return float(found[0].replace("d", "e").replace("D", "e"))
        named = NAME.match(self.text, self.at)
        if named is None:
            what = self.rest()[:20]
            raise ExpressionError(
                f"is not a number: `{what}` in it is not understood" if what else "is incomplete"
            )
        self.at = named.end()
        if named[0] in FUNCTIONS and self._takes("("):
            return FUNCTIONS[named[0]](self._bracket())
        if named[0] not in self.names:
            raise ExpressionError(f"is not a number: {named[0]} in it has no value here")
        return self.names[named[0]]

    def _bracket(self) -> float:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError(f"has brackets more than {MAX_DEPTH} deep")
        value = self.sum()
        if not self._takes(")"):
            raise ExpressionError("has a bracket that does not end")
        self.depth -= 1
        return value

    def _takes(self, mark: str) -> bool:
        self._skip()
        if not self.text.startswith(mark, self.at):
            return False
        self.at += 1
        return True

    def _skip(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
