"""Numbers as text: which are numbers at all, and what is the decimal sign of a whole file.

A spreadsheet in Danish or German writes 40,5 and 50.000, one in English 40.5 and 50,000. What a
single cell like 50.000 means, only the other cells of its file tell; so the sign is decided once
for a file, and where nothing decides it, the file is refused.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
# Written with s for the decimal sign and t for the other one, each a character class.
DECIDED = (
    r"[+-]?(?:\d{4,}s\d*|0\d*s\d*|\d{1,3}s(?:\d{0,2}|\d{4,})|s\d+|\d{1,3}(?:t\d{3})+s\d*"
    r"|\d+s\d+[eE][+-]?\d+|\d{1,3}(?:t\d{3}){2,})"
)
EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}", re.ASCII)
GROUPED = r"[+-]?\d{1,3}(?:t\d{3})+(?:s\d*)?"
FACTORS = {".": ",", ",": "."}


def _pattern(form: str, sign: str) -> re.Pattern[str]:
    form = form.replace("s", f"[{sign}]").replace("t", f"[{FACTORS[sign]}]")
    return re.compile(form, re.ASCII)


BY_SIGN = {sign: _pattern(DECIDED, sign) for sign in FACTORS}
GROUPS = {sign: _pattern(GROUPED, sign) for sign in FACTORS}


@dataclass(frozen=True)
class Decimals:
    """The decimal sign of a file.

    Attributes
    ----------
    sign
        `.` or `,`; empty where the cells contradict each other or none of them decides.
    witnesses
        For each sign that a cell was written with, the first such cell, by its place.
    undecided
        The first cell that may be either, by its place; None where there is none.
    """

    sign: str
    witnesses: dict[str, tuple[str, str]]
    undecided: tuple[str, str] | None

    @property
    def fault(self) -> str | None:
        """What is wrong, where the sign is not known."""
        if self.sign:
            return None
        if self.witnesses:
            (one, first), (other, second) = self.witnesses.values()
            return (
                f"{one} is {first} with a decimal point, {other} is {second} with a decimal "
                "comma; expected one sign in a file"
            )
        assert self.undecided is not None
        place, cell = self.undecided
        short = cell.replace(",", ".")
        return (
            f"{place} is {cell}, which may be {float(short):g} or {short.replace('.', ' ')}: no "
            "cell of the file decides; write thousands without a sign and decimals as 0,0 or 0.0"
        )

    def plain(self, cell: str) -> str:
        """`cell` with a decimal point and without signs of thousands, if it is a number."""
        if not self.sign or not ("," in cell or "." in cell):
            return cell
        if GROUPS[self.sign].fullmatch(cell):
            cell = cell.replace(FACTORS[self.sign], "")
        elif FACTORS[self.sign] in cell:
            return cell if self.sign == "." else f"{cell!r} (decimal comma)"
        return cell.replace(",", ".") if self.sign == "," else cell


def decide(cells: Iterable[tuple[str, str]]) -> Decimals:
    """The sign in which `cells` of numbers are written; each is its place and its text."""
    witnesses: dict[str, tuple[str, str]] = {}
    undecided = None
    for place, cell in cells:
        if "," not in cell and "." not in cell:
            continue
        if EITHER.fullmatch(cell):
            undecided = undecided or (place, cell)
            continue
        for sign, pattern in BY_SIGN.items():
            if sign not in witnesses and pattern.fullmatch(cell):
                witnesses[sign] = (place, cell)
        if len(witnesses) == 2:
            break
    known = "".join(witnesses) if len(witnesses) == 1 else ""
    if not witnesses and undecided is None:
        known = "."
    ordered = {sign: witnesses[sign] for sign in FACTORS if sign in witnesses}
    return Decimals(known, ordered, undecided)
