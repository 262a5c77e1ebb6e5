"""Small pieces of HTML: tiles of figures, a line on the state, a table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from tvilling.apps.web.style import CSS
from tvilling.sciml.io.extras import needs_extra

with needs_extra("apps"):
    import panel as pn


@dataclass(frozen=True)
class Tile:
    """A figure with its unit, what it is, and a line below it."""

    label: str
    value: str
    note: str = ""
    key: str = ""


def html(text: str = "", **look: Any) -> Any:
    """A pane of HTML in the style of the pages."""
    look = {"sizing_mode": "stretch_width", "margin": 0, "stylesheets": [CSS]} | look
    return pn.pane.HTML(framed(text), **look)


def framed(text: str) -> str:
    """`text` within what the style sheet applies to."""
    return f'<div class="tv">{text}</div>'


def tiles(found: Iterable[Tile]) -> str:
    """Tiles beside each other, as many a row as there is room for."""
    parts = [
        f'<div class="tile" data-key="{escape(tile.key)}"><dt>{escape(tile.label)}</dt>'
        f'<dd class="value">{escape(tile.value)}</dd>'
        f'<dd class="note">{escape(tile.note)}</dd></div>'
        for tile in found
    ]
    return f'<dl class="tiles">{"".join(parts)}</dl>'


def state(kind: str, lines: Sequence[str]) -> str:
    """A verdict's `kind` and `lines`; screen readers are told when they change."""
    sign = {"fine": "✓", "warn": "!", "bad": "✕", "busy": "…"}[kind]
    text = "<br>".join(escape(line) for line in lines)
    return (
        f'<div class="state {kind}" role="status"><b aria-hidden="true">{sign}</b>'
        f"<span>{text}</span></div>"
    )


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are figures."""
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in headings)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
