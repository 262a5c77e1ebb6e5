"""The HTML page around a report; its style is inside, nothing is fetched."""

from collections.abc import Mapping, Sequence
from html import escape

STYLE = """
:root { --ink: #22303c; --soft: #5b6b79; --line: #dfe5ea; --paper: #ffffff; --back: #f4f6f8; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink);
  font: 15px/1.55 "Segoe UI", "Helvetica Neue", Helvetica, Arial, "Liberation Sans", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 40px 24px 64px; }
header { margin-bottom: 28px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 6px; font-weight: 600; }
h2 { font-size: 18px; margin: 0 0 14px; font-weight: 600; }
header p { margin: 0; color: var(--soft); }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 8px;
  padding: 22px 26px; margin-bottom: 18px; }
figure { margin: 0; }
svg { display: block; width: 100%; height: auto; }
figcaption, .caption { color: var(--soft); font-size: 13px; margin: 10px 0 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 10px; border-bottom: 1px solid var(--line); text-align: right; }
tbody tr:last-child th, tbody tr:last-child td { border-bottom: 0; }
thead th { font-size: 13px; color: var(--soft); font-weight: 600; vertical-align: bottom; }
tbody th { text-align: left; font-weight: 400; padding-left: 0; width: 34%; }
th:nth-child(2), td.unit { text-align: left; color: var(--soft); }
td.diff { color: var(--soft); font-size: 13px; padding-left: 0; width: 5em; }
ul { margin: 0; padding-left: 20px; }
li { margin: 3px 0; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 20px; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; }
.scroll { overflow-x: auto; }
table.found th, table.found td { text-align: left; color: inherit; width: auto; }
table.found thead th { color: var(--soft); }
table.found thead th:first-child { padding-left: 0; }
table.found .r { text-align: right; }
table.found .l + .r, table.found .r + .l { padding-left: 24px; }
table.hours { font-size: 13px; white-space: nowrap; }
table.hours th, table.hours td { padding: 3px 8px; }
table.hours thead th { white-space: normal; }
table.hours th:first-child { text-align: left; padding-left: 0; width: auto; }
table.hours th:nth-child(2) { text-align: right; }
table.hours tr.midnight > * { border-top: 2px solid var(--line); }
table.hours .expected { color: var(--soft); font-style: italic; }
@media print { body { background: none; } section { break-inside: avoid; border: 0; padding: 0; } }
"""


def page(title: str, lead: str, sections: Sequence[str]) -> str:
    """A complete page; `sections` are HTML, `title` and `lead` are plain text."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<header><h1>{escape(title)}</h1><p>{escape(lead)}</p></header>\n"
        + "\n".join(sections)
        + "\n</main>\n</body>\n</html>\n"
    )


def figure_section(title: str, svg: str, caption: str) -> str:
    """A figure under its heading."""
    return (
        f"<section><h2>{escape(title)}</h2><figure>{svg}"
        f"<figcaption>{escape(caption)}</figcaption></figure></section>"
    )


def list_section(title: str, lines: Sequence[str]) -> str:
    """Sentences, one below the other."""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<section><h2>{escape(title)}</h2><ul>{items}</ul></section>"


def facts_section(title: str, facts: Mapping[str, str]) -> str:
    """Names and what they are, side by side."""
    items = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts.items())
    return f"<section><h2>{escape(title)}</h2><dl>{items}</dl></section>"
