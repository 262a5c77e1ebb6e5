"""Text that came out of a file, made fit to be shown: on a terminal, in a log, in a message.

A name in a file can hold control characters that clear a screen or change its title (ECMA-48
control sequences), characters that turn the direction of writing, or a million letters. Every
way out passes through `printable`; HTML is escaped by its templates besides.
"""

import json
import unicodedata
from typing import Any

MAX_SHOWN = 400
# Other, control / format / surrogate / private use / not assigned, and separators of lines.
ESCAPED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def printable(text: str, limit: int = MAX_SHOWN, keep: str = "") -> str:
    r"""`text` with what steers a terminal escaped as Python writes it (``\x1b``), and shortened.

    Parameters
    ----------
    text
        Anything, also what came out of a file.
    limit
        Most characters of the result; a longer text ends in "… (N characters)".
    keep
        Characters that stay although they steer, such as the end of a line.
    """
    if len(text) > limit:
        text = f"{text[:limit]}… ({len(text)} characters)"
    if text.isprintable():
        return text
    return "".join(
        letter if letter in keep or unicodedata.category(letter) not in ESCAPED else _code(letter)
        for letter in text
    )


def json_text(value: Any, **options: Any) -> str:
    r"""`value` as JSON that a terminal can show: letters stay, what steers it is ``\u009b``."""
    text = json.dumps(value, ensure_ascii=False, **options)
    if text.isprintable():
        return text
    return "".join(
        letter if letter in "\n" or unicodedata.category(letter) not in ESCAPED
        else json.dumps(letter)[1:-1]
        for letter in text
    )  # fmt: skip


def _code(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
