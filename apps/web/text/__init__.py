"""What the pages say, in Danish and English, and numbers as each language writes them."""

from collections.abc import Mapping
from dataclasses import dataclass

from tvilling.apps.web.text.danish import DANISH
from tvilling.apps.web.text.english import ENGLISH
from tvilling.apps.web.text.terms import DANISH_TERMS

TABLES: Mapping[str, Mapping[str, str]] = {"en": ENGLISH, "da": DANISH}
NAMES = {"en": "English", "da": "Dansk"}
DEFAULT = "en"
THOUSANDS, MINUS = "\N{NO-BREAK SPACE}", "\N{MINUS SIGN}"
SCALES = {
    "W": ((1e9, "GW"), (1e6, "MW"), (1e3, "kW"), (1.0, "W")),
    "Wh": ((1e9, "GWh"), (1e6, "MWh"), (1e3, "kWh")),
    "var": ((1e6, "Mvar"), (1e3, "kvar"), (1.0, "var")),
    "VA": ((1e6, "MVA"), (1e3, "kVA"), (1.0, "VA")),
    "V": ((1e3, "kV"), (1.0, "V")),
    "1": ((1.0, ""),),  # a number without a unit
}


@dataclass(frozen=True)
class Labels:
    """The words of one language; `language` is one of `TABLES`."""

    language: str

    def __call__(self, key: str, **values: object) -> str:
        """The text `key`, with `values` in its places."""
        return TABLES[self.language][key].format(**values)

    def term(self, english: str) -> str:
        """What a system calls something, in this language; English where it is not known."""
        return DANISH_TERMS.get(english, english) if self.language == "da" else english

    def number(self, value: float, digits: int) -> str:
        """`value` with `digits` decimals, the language's decimal sign and spaced thousands."""
        text = f"{value:,.{digits}f}"
        if not any(figure in text for figure in "123456789"):
            text = text.removeprefix("-")
        text = text.replace(",", THOUSANDS).replace("-", MINUS)
        return text.replace(".", ",") if self.language == "da" else text

    def quantity(self, value: float, unit: str, figures: int = 3) -> str:
        """`value` with its unit, to about `figures` figures; W and Wh with a fitting prefix."""
        scale, unit = scaled(value, unit)
        value = value / scale
        return f"{self.number(value, decimals(value, figures))}{THOUSANDS}{unit}".rstrip()


def scaled(value: float, unit: str) -> tuple[float, str]:
    """What to divide a number of about `value` by, and the unit it then has."""
    choices = SCALES.get(unit, ((1.0, unit),))
    return next((pair for pair in choices if abs(value) >= pair[0]), choices[-1])


def decimals(value: float, figures: int = 3) -> int:
    """Decimals that show `value` to about `figures` figures: none from 100 on, three at most."""
    size = abs(value)
    before = 1 if size < 10 else 2 if size < 100 else figures
    return min(max(figures - before, 0) + (1 if 0 < size < 0.1 else 0), 3)


def choose_language(asked: str | None, accepted: str) -> str:
    """The language a visitor gets.

    Parameters
    ----------
    asked
        What the address says after `lang=`, if anything; other languages are passed over.
    accepted
        The browser's `Accept-Language` header, such as `da-DK,da;q=0.9,en;q=0.8`.
    """
    if asked in TABLES:
        return str(asked)
    found: list[tuple[float, str]] = []
    for part in accepted.split(","):
        name, _, weight = part.strip().partition(";q=")
        language = name.split("-")[0].lower()
        if language in TABLES:
            found.append((_weight(weight), language))
    return max(found, key=lambda pair: pair[0])[1] if found else DEFAULT


def _weight(text: str) -> float:
    try:
        return float(text or 1.0)
    except ValueError:
        return 0.0
