"""Both languages say the same things, and every text is used."""

import ast
import re
import string
from pathlib import Path

import pytest

from tvilling.apps.web.text import TABLES, Labels, choose_language, decimals
from tvilling.sciml.core.results import FLAGS

WEB = Path(__file__).parents[3] / "apps" / "web"
STAGES = ("start", "read", "steady", "day", "system")
MADE = {f"stage_{name}" for name in STAGES} | {f"flag_{flag.name.lower()}" for flag in FLAGS}


def literals() -> set[str]:
    """Every string that stands in the code of the pages, but for the tables of texts."""
    return {
        node.value
        for path in WEB.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def asked() -> set[str]:
    """What the pages ask for by a name written out: words("name")."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in WEB.rglob("*.py"))
    return set(re.findall(r"""words\(\s*["'](\w+)["']""", code))


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_texts_with_the_same_places():
    english, danish = TABLES["en"], TABLES["da"]
    assert english.keys() == danish.keys()
    for key, text in english.items():
        assert places(text) == places(danish[key]), key


@pytest.mark.parametrize("language", TABLES)
def test_no_text_is_missing_or_unused(language):
    table = TABLES[language].keys()
    assert (asked() | MADE) - table == set()
    assert table - literals() - MADE == set()


def test_danish_is_not_english():
    same = {key for key, text in TABLES["en"].items() if TABLES["da"][key] == text}
    assert same == {"app", "flow", "flow_axis", "unit_axis"}


@pytest.mark.parametrize(
    ("language", "value", "unit", "shown"),
    [
        ("en", 1234567.0, "W", "1.23 MW"),
        ("da", 1234567.0, "W", "1,23 MW"),
        ("da", 48_230.0, "W", "48,2 kW"),
        ("da", -4.25, "°C", "−4,25 °C"),
        ("en", 86400.0, "s", "86 400 s"),
        ("da", 13.21e6, "Wh", "13,2 MWh"),
        ("en", 0.0, "W", "0.00 W"),
        ("en", -0.0001, "°C", "0.000 °C"),
    ],
)
def test_quantities_have_their_unit_and_the_decimal_sign(language, value, unit, shown):
    assert Labels(language).quantity(value, unit).replace("\N{NO-BREAK SPACE}", " ") == shown


def test_decimals_show_three_figures():
    assert [decimals(value) for value in (0.0, 0.05, 0.5, 5.0, 50.0, 500.0, 5e6)] == [
        2, 3, 2, 2, 1, 0, 0,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        ("da", "en-GB,en", "da"),
        (None, "da-DK,da;q=0.9,en;q=0.8", "da"),
        (None, "en;q=0.7,da;q=0.9", "da"),
        ("fr", "fr,de;q=0.5", "en"),
        (None, "", "en"),
        (None, "da;q=nonsense", "da"),
    ],
)
def test_the_address_decides_the_language_and_then_the_browser(asked, accepted, language):
    assert choose_language(asked, accepted) == language
