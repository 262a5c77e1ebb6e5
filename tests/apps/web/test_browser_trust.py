"""In a browser: injected text stays text, a proxy's path holds, a server that goes is missed."""

import re
from urllib.parse import quote

import pytest

pytest.importorskip("panel")
pytest.importorskip("playwright")

from path_proxy import proxied
from playwright.sync_api import expect
from web_server import access_to, served

from tvilling.apps.web.server import free_port
from tvilling.benchmarks.app_browser import browser, chromium, open_page

pytestmark = pytest.mark.skipif(chromium() is None, reason="Chromium is not installed")

INJECTIONS = [
    "<script>document.title='XSS ran'</script>",
    "<img src=x onerror=\"document.title='XSS img'\">",
    "<script>document.forms[0].action='http://evil.example/'</script>",
]
LINKS = """() => {
  const found = []
  const walk = (root) => { for (const one of root.querySelectorAll("*")) {
    if (one.tagName === "A") { found.push(one.href) }
    if (one.shadowRoot) { walk(one.shadowRoot) } } }
  walk(document)
  return [...new Set(found)]
}"""


@pytest.fixture(scope="module")
def window():
    with browser() as found:
        context = found.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
        yield context
        context.close()


def test_what_the_address_says_is_not_run_on_the_login_page(guarded, window):
    page = window.new_page()
    for text in INJECTIONS:
        address = f"{guarded.address}/login?error={quote(text)}"
        page.goto(address)
        assert page.title() == "Tvilling"
        assert page.evaluate("document.forms[0].action") == address
        assert page.get_by_role("alert").inner_text() == ""
    page.close()


def test_a_bookmark_survives_the_login_below_the_path_of_a_proxy(users, window):
    port, path = free_port("127.0.0.1"), "/energi/tvilling"
    access = access_to(users, hosts=(f"127.0.0.1:{port}",))
    with served(access, 15_000) as one, proxied(one.host, port, path) as address:
        page = window.new_page()
        page.goto(f"{address}/system/tank?lang=da")
        assert page.url.startswith(f"{address}/login?next=")
        assert page.get_by_label("Brugernavn").count() == 0  # the browser asks for English
        page.close()
        page = window.new_page()
        host, cookie = one.log_in().split("=")
        window.add_cookies([{"name": host, "value": cookie, "url": f"http://127.0.0.1:{port}"}])
        page.goto(f"{address}/")
        page.wait_for_selector(".card", timeout=60_000)
        links = page.evaluate(LINKS)
        assert len(links) > 7
        assert [link for link in links if not link.startswith(f"{address}/")] == []
        for link in links:
            if "/logout" in link:
                continue
            answer = one.ask(link.removeprefix(address), Cookie=f"{host}={cookie}")
            assert answer.status == 200, link
        page.close()
        window.clear_cookies()


def test_figures_of_a_server_that_has_gone_are_greyed_and_not_fine(window):
    with served(access_to(), 15_000) as one:
        page = open_page(window, f"{one.address}/system/tank?lang=da")
        expect(page.get_by_role("status").first).to_contain_text("skridt")
        assert page.get_by_role("alert").count() == 0
        opacity = "node => getComputedStyle(node.getRootNode().host ?? node).opacity"
        tiles = page.locator(".tiles")
        assert tiles.evaluate(opacity) == "1"
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("Forbindelsen til serveren er afbrudt", timeout=20_000)
    assert notice.get_by_role("link").get_attribute("href") == page.url
    assert page.locator(".state.fine:visible").count() == 0
    assert float(tiles.evaluate(opacity)) < 0.5
    assert re.search("afbrudt", page.inner_text("body"))
    page.close()
