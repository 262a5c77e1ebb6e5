"""Figures that are greyed from a moved slider until the answer to it is there."""

from collections.abc import Sequence
from typing import Any

from tvilling.apps.web.pages.tiles import framed, state
from tvilling.apps.web.pages.verdict import Checks, verdict
from tvilling.apps.web.text import Labels

# Answers that come at once do not flicker: the grey sets in after a fifth of a second.
STALE = {"opacity": "0.35", "transition": "opacity 0.15s linear 0.2s"}
FRESH = {"opacity": "var(--tv-figures, 1)"}  # which notice.html sets when the server is gone


class Freshness:
    """A line on the state of some figures, and their look.

    Parameters
    ----------
    line
        Pane of the state.
    figures
        Panes and figures of Bokeh that show the figures.
    """

    def __init__(self, words: Labels, line: Any, figures: Sequence[Any]) -> None:
        self._words, self._line, self._figures = words, line, figures
        self._asked = 0

    def calculating(self) -> None:
        """The figures are not those of the settings, for now."""
        self._asked += 1
        self._say(verdict(self._words, None, ""), STALE)
        # The page counts as unanswered until something changes on it, so something always does.
        self._line.object += f"<!-- {self._asked} -->"

    def calculated(self, checks: Checks, fine: str, lead: str = "") -> None:
        """The figures are those of the settings; `lead` is said before what `checks` come to."""
        found = verdict(self._words, checks, fine)
        self._say(found, FRESH, lead)

    def failed(self, error: Exception) -> None:
        """There are no figures for the settings."""
        text = self._words("failed", error=f"{type(error).__name__}: {error}")
        self._look(STALE)
        self._line.object = framed(state("bad", [text]))

    def _say(self, found: Any, look: dict[str, str], lead: str = "") -> None:
        self._look(look)
        lines = [*([lead] if lead else []), *found.lines]
        self._line.object = framed(state(found.kind, lines))

    def _look(self, look: dict[str, str]) -> None:
        for one in self._figures:
            if one.styles != look:
                one.styles = look
