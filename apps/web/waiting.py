"""A page that shows itself once what it needs has been loaded in the background."""

from collections.abc import Callable
from html import escape
from typing import Any, TypeVar

from tvilling.apps.web.loading import Loading
from tvilling.apps.web.pages.tiles import framed, html, state
from tvilling.apps.web.text import Labels
from tvilling.sciml.io.extras import needs_extra

with needs_extra("apps"):
    import panel as pn
    import panel_material_ui as pmui

T = TypeVar("T")


def when_loaded(
    loading: Loading[T], words: Labels, title: str, parts: Callable[[T, Any], list[Any]]
) -> Any:
    """A column with the `parts` of what has been loaded, or one that tells how far it is.

    `parts` is also given the visitor's document. An error is told in place of the parts, both
    that of loading and that of making them.
    """
    document: Any = pn.state.curdoc
    location: Any = pn.state.location
    if loading.done:
        found = _parts_or_error(loading, words, lambda value: parts(value, document))
        return pmui.Column(*found, sizing_mode="stretch_width", margin=0)
    progress = html(_progress(words, title, loading.stage), margin=(24, 0, 12, 0))
    bar = pmui.LinearProgress(variant="indeterminate", sizing_mode="stretch_width", margin=0)

    def changed() -> None:
        if loading.done:  # figures that are added to a page that stands there upset Bokeh's layout
            location.reload = True
        else:
            progress.object = framed(_progress(words, title, loading.stage))

    def follow() -> None:
        forget = loading.watch(lambda: document.add_next_tick_callback(changed))
        document.on_session_destroyed(lambda context: forget())

    pn.state.onload(follow)  # earlier, the browser does not know the page yet
    return pmui.Column(progress, bar, sizing_mode="stretch_width", margin=0)


def _parts_or_error(
    loading: Loading[T], words: Labels, parts: Callable[[T], list[Any]]
) -> list[Any]:
    error = loading.error
    if loading.value is not None:
        try:
            return parts(loading.value)
        except Exception as raised:  # whatever it is, the page has to tell it
            error = f"{type(raised).__name__}: {raised}"
    return [html(state("bad", [words("load_failed", error=error)]), margin=(24, 0))]


def _progress(words: Labels, title: str, stage: str) -> str:
    return (
        f"<h1>{escape(title)}</h1>"
        f'<p role="status">{escape(words("loading", stage=words(f"stage_{stage}")))}</p>'
        f'<p class="quiet">{escape(words("loading_note"))}</p>'
    )
