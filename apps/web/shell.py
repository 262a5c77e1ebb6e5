"""The frame of every page: header with links and language, theme, and what the visitor reads."""

import json
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from tvilling.apps.web.addresses import HOME, LOGOUT, relative, with_language
from tvilling.apps.web.pages.tiles import html
from tvilling.apps.web.style import FAVICON, THEME
from tvilling.apps.web.text import NAMES, Labels, choose_language
from tvilling.sciml.io.extras import needs_extra

with needs_extra("apps"):
    import panel as pn
    import panel_material_ui as pmui
    from bokeh.models import CustomJSTickFormatter
    from panel.util import edit_readonly

TEMPLATE = """
{% extends "base.html" %}
{% block preamble %}
{{ super() }}
<script>document.documentElement.lang = "LANGUAGE"</script>
NOTICE
{% endblock %}
"""
NOTICE = Path(__file__).with_name("notice.html").read_text(encoding="utf-8")
MARGIN = (4, 8)
SMALL_LABEL = {"& .MuiFormLabel-root, & .MuiTypography-root": {"fontSize": "14.5px"}}
NARROW, BROAD = {"xs": 12, "md": 3}, {"xs": 12, "md": 9}
HALF, WHOLE = {"xs": 12, "lg": 6}, {"xs": 12}


def visitor_words() -> Labels:
    """The words of the visitor: what the address asks for, else what the browser prefers."""
    asked = pn.state.session_args.get("lang", [b""])[0].decode("ascii", "ignore")
    return Labels(choose_language(asked, str(pn.state.headers.get("Accept-Language", ""))))


def link(here: str, address: str, words: Labels) -> str:
    """A link from the page `here` to the page `address` in the visitor's language."""
    return relative(here, with_language(address, words.language))


def show_page(
    words: Labels, here: str, title: str, main: Iterable[Any], has_login: bool = False
) -> None:
    """Give the visitor a page with the header.

    Parameters
    ----------
    here
        Address of this page, from which its links lead on.
    title
        Of the browser's tab.
    main
        What stands below the header.
    has_login
        Whether visitors log in, and so can log out.
    """
    frame = _unwatched_page(
        title=words("app"),
        meta_title=title,
        meta_description=title,
        favicon=FAVICON,
        template=_template(words),
        site_url=link(here, HOME, words),
        header=[_header(words, here, has_login)],
        main=[pmui.Container(*main, width_option="xl", sizing_mode="stretch_width", margin=0)],
        sidebar_variant="temporary",
        sidebar_open=False,
        sx={"& main": {"backgroundColor": "background.default"}},
        busy_indicator=None,
        theme_config=THEME,
        sizing_mode="stretch_width",
    )
    frame.server_doc(pn.state.curdoc, title)


def _template(words: Labels) -> str:
    """The page's frame, which also tells when the server does not answer."""
    texts = {
        "lost": words("server_lost"),
        "silent": words("server_silent"),
        "unconnected": words("server_unconnected"),
        "reload": words("reload"),
    }
    told = json.dumps(texts).replace("<", "\\u003c")
    notice = NOTICE.replace("WORDS", told)
    return TEMPLATE.replace("LANGUAGE", words.language).replace("NOTICE", notice)


def _unwatched_page(**look: Any) -> Any:
    """A page that does not follow whether the server is busy.

    The library links every page to one state of the whole process, and nothing ends that link:
    it would keep each page that was ever opened, and cost time at every event of any other.
    """
    before = _busy_watchers()
    page = pmui.Page(**look)
    for watcher in _busy_watchers():
        if not any(watcher is one for one in before):
            pn.state.param.unwatch(watcher)
    with edit_readonly(page):
        page.busy = False
    return page


def _busy_watchers() -> list[Any]:
    return list(pn.state.param.watchers.get("busy", {}).get("value", []))


def slider(
    parameter: Any, words: Labels, label: str, unit: str, digits: int, divisor: float = 1.0
) -> Any:
    """A slider of a number parameter; its text is the value over `divisor` with `unit`."""
    return pmui.FloatSlider.from_param(
        parameter,
        label=label,
        format=_formatter(words, unit, digits, divisor),
        size="small",
        sizing_mode="stretch_width",
        margin=MARGIN,
        sx=SMALL_LABEL,
    )


def clock_slider(parameter: Any, label: str) -> Any:
    """A slider of a time of day [h], shown as hours and minutes."""
    code = (
        "const m = Math.round(tick * 60);"
        "return String(Math.floor(m / 60)).padStart(2, '0') + ':' + "
        "String(m % 60).padStart(2, '0')"
    )
    return pmui.FloatSlider.from_param(
        parameter,
        label=label,
        format=CustomJSTickFormatter(code=code),
        size="small",
        sizing_mode="stretch_width",
        margin=MARGIN,
        sx=SMALL_LABEL,
    )


def rows(*parts: Any, **look: Any) -> Any:
    """Parts below each other."""
    look = {"sizing_mode": "stretch_width", "margin": 0} | look
    return pmui.Column(*parts, sx={"gap": "12px"}, **look)


def beside(*parts: Any, sizes: Sequence[Any]) -> Any:
    """Parts beside each other; the `sizes` are shares of twelve, by width of the window."""
    cells = [pmui.Grid(part, size=size) for part, size in zip(parts, sizes, strict=True)]
    return pmui.Grid(*cells, container=True, spacing=1.5, sizing_mode="stretch_width", margin=0)


def bokeh(figure: Any) -> Any:
    """A figure as wide as there is room for."""
    return pn.pane.Bokeh(figure, sizing_mode="stretch_width", margin=0)


def paper(*parts: Any, **look: Any) -> Any:
    """Parts on a sheet of their own."""
    look = {"sizing_mode": "stretch_width", "margin": 0, "elevation": 0} | look
    sx = {"border": "1px solid", "borderColor": "divider", "borderRadius": "10px", "p": "12px"}
    return pmui.Paper(*parts, sx=sx, **look)


def _formatter(words: Labels, unit: str, digits: int, divisor: float) -> Any:
    sign = "," if words.language == "da" else "."
    code = (
        f"return (tick / {divisor}).toFixed({digits})"
        f".replace('-', '\N{MINUS SIGN}').replace('.', '{sign}')"
        + (f" + '\N{NO-BREAK SPACE}{unit}'" if unit else "")
    )
    return CustomJSTickFormatter(code=code)


def _header(words: Labels, here: str, has_login: bool) -> Any:
    def anchor(address: str, text: str, current: bool, more: str = "") -> str:
        mark = ' aria-current="page"' if current else ""
        return f'<a href="{escape(address)}"{mark}{more}>{escape(text)}</a>'

    pages = [anchor(link(here, HOME, words), words("home"), here == HOME)]
    out = [anchor(link(here, LOGOUT, words), words("log_out"), False)] if has_login else []
    languages = [
        anchor(relative(here, with_language(here, one)), one.upper(), one == words.language,
               f' lang="{one}" hreflang="{one}" title="{escape(name)}"')
        for one, name in NAMES.items()
    ]  # fmt: skip
    text = (
        '<nav style="justify-content: space-between; color: #fff; padding: 0 12px">'
        f"<span>{''.join(pages)}</span>"
        f'<span role="group" aria-label="{escape(words("language"))}">{"".join(languages)}'
        f"{''.join(out)}</span>"
        "</nav>"
    )
    return html(text, sizing_mode="stretch_width")
