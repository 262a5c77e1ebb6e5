"""The first page: what is here."""

from html import escape

from tvilling.apps.web.addresses import HOME, NETWORK, system_address
from tvilling.apps.web.pages.tiles import html
from tvilling.apps.web.shell import link, show_page, visitor_words
from tvilling.apps.web.text import Labels
from tvilling.sciml.systems import SYSTEMS


def home_page(has_login: bool = False) -> None:
    """Give the first page to the visitor who asks for it, and may log out where `has_login`."""
    words = visitor_words()
    parts = [html(_intro(words), margin=(24, 0, 18, 0)), html(cards(words), margin=(0, 0, 32, 0))]
    show_page(words, HOME, words("app"), parts, has_login)


def cards(words: Labels) -> str:
    """One card for the town network and one for each registered system."""
    found = [_card(words, NETWORK, words("network_title"), words("home_network"), wide=True)]
    found += [
        _card(words, system_address(name), shown_name(words, name), words.term(entry.description))
        for name, entry in SYSTEMS.items()
    ]
    return (
        f'<div class="cards">{found[0]}</div>'
        f'<h3 style="margin: 26px 0 12px">{escape(words("home_made"))}</h3>'
        f'<div class="cards">{"".join(found[1:])}</div>'
    )


def shown_name(words: Labels, name: str) -> str:
    """A system's name as a heading."""
    text = words.term(name.replace("_", " "))
    return text[:1].upper() + text[1:]


def _intro(words: Labels) -> str:
    return (
        f"<h1>{escape(words('home_title'))}</h1>"
        f'<p class="quiet" style="font-size: 15px">{escape(words("home_lead"))}</p>'
    )


def _card(words: Labels, address: str, title: str, text: str, wide: bool = False) -> str:
    return (
        f'<a class="card{" wide" if wide else ""}" href="{escape(link(HOME, address, words))}">'
        f"<h2>{escape(title)}</h2><p>{escape(text)}</p>"
        f'<span class="go">{escape(words("open"))} →</span></a>'
    )
