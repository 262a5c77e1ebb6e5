"""The pages in a browser: Home, sliders, both languages, and nothing from elsewhere."""

import json
import re
import statistics
import subprocess
import sys
import urllib.request
from urllib.parse import urlsplit

import pytest

pytest.importorskip("panel")
pytest.importorskip("playwright")

from playwright.sync_api import expect

from tvilling.benchmarks.app_browser import (
    browser,
    chromium,
    open_page,
    served_app,
    tile,
    wait_for_other_tile,
)
from tvilling.benchmarks.app_latency import slider_latencies

pytestmark = pytest.mark.skipif(chromium() is None, reason="Chromium is not installed")

CURVE = """
(key) => {
  for (const model of Bokeh.documents[0]._all_models.values()) {
    if (model.type !== "ColumnDataSource") { continue }
    const data = model.data instanceof Map ? Object.fromEntries(model.data) : model.data
    if (data[key] !== undefined) { return Array.from(data[key]) }
  }
  return null
}
"""


@pytest.fixture(scope="module")
def address():
    with served_app() as found:
        yield found


@pytest.fixture(scope="module")
def chromium_browser():
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def english(chromium_browser):
    context = chromium_browser.new_context(viewport={"width": 1280, "height": 1000}, locale="en-GB")
    yield context
    context.close()


@pytest.fixture
def watched(english, address):
    """The context; whatever a page asked for elsewhere or complained about fails the test."""
    elsewhere, complaints = [], []
    host = urlsplit(address).netloc

    def on_request(request):
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != host:
            elsewhere.append(request.url)

    def on_console(message):
        if message.type == "error":
            complaints.append(message.text)

    handlers = {
        "request": on_request,
        "console": on_console,
        "weberror": lambda error: complaints.append(str(error.error)),
    }
    for event, handler in handlers.items():
        english.on(event, handler)
    yield english
    for event, handler in handlers.items():
        english.remove_listener(event, handler)
    for page in english.pages:
        page.close()
    assert elsewhere == []
    assert complaints == []


def curve(page, key):
    return page.evaluate(CURVE, key)


def other_curve(page, key, before):
    """The curve `key` once it is no longer `before`."""
    changed = f"([key, before]) => JSON.stringify(({CURVE})(key)) !== before"
    told = page.evaluate("(values) => JSON.stringify(values)", before)
    page.wait_for_function(changed, arg=[key, told], timeout=10_000)
    return curve(page, key)


def test_from_home_to_the_tank_and_its_heater(watched, address):
    home = open_page(watched, f"{address}/", ".card")
    expect(home.get_by_role("heading", name="Physics you can move")).to_be_visible()
    home.get_by_role("link", name=re.compile("^Tank")).click()
    home.wait_for_selector(".tile", timeout=60_000)
    expect(home).to_have_title("Tank")
    before, shown = curve(home, "water_degc"), tile(home, "heater_used_w")
    heater = home.get_by_role("slider", name="Heater power")
    assert heater.get_attribute("aria-valuetext").replace("\N{NO-BREAK SPACE}", " ") == "400 kW"
    heater.press("Home")
    wait_for_other_tile(home, "heater_used_w", shown)
    expect(home.get_by_role("status").first).to_contain_text("A demand was not met in full")
    after = other_curve(home, "water_degc", before)
    assert len(after) == len(before) == 3 * 96
    assert min(after) < min(before) - 10.0
    heater.press("ArrowLeft")  # below the lowest value there is nothing to enter
    assert float(heater.get_attribute("aria-valuenow")) == 0.0
    lowest = tile(home, "heater_used_w")  # read before: the answer can be there at once
    home.get_by_role("button", name="Reset").click()
    wait_for_other_tile(home, "heater_used_w", lowest)
    assert tile(home, "heater_used_w") == shown


def test_the_network_answers_a_slider_with_figures_map_and_day(watched, address):
    page = open_page(watched, f"{address}/network")
    expect(page).to_have_title("Schutterwald heat network")
    flow, colours = tile(page, "flow"), curve(page, "value")
    day = curve(page, "consumer_supply_degc")
    supply = page.get_by_role("slider", name="Supply temperature")
    supply.press("End")
    less = wait_for_other_tile(page, "flow", flow)
    assert float(less.split()[0]) < 0.8 * float(flow.split()[0])
    assert max(other_curve(page, "consumer_supply_degc", day)) > max(day) + 5.0
    assert curve(page, "value") != colours
    median_ms = statistics.median(slider_latencies(page, 20))
    print(f"slider to figure: median of 20 moves {median_ms:.0f} ms")
    assert median_ms < 2000.0


def test_another_consumer_and_the_pressure_can_be_chosen(watched, address):
    page = open_page(watched, f"{address}/network")
    before, colours = curve(page, "consumer_supply_degc"), curve(page, "value")
    page.get_by_role("combobox", name="Consumer").click()
    page.get_by_role("menuitem", name="C1", exact=True).click()
    expect(page.get_by_role("heading", name="C1: temperatures over the day")).to_be_visible()
    assert len(other_curve(page, "consumer_supply_degc", before)) == 96
    page.get_by_role("button", name="Pressure").click()
    found = [value for value in other_curve(page, "value", colours) if value is not None]
    assert 2.0 < min(found) <= max(found) < 12.0


def test_danish_has_its_words_and_its_comma(watched, address):
    page = open_page(watched, f"{address}/network?lang=da")
    expect(page).to_have_title("Fjernvarmenettet i Schutterwald")
    assert page.evaluate("document.documentElement.lang") == "da"
    assert re.fullmatch(r"\d+,\d+.kg/s", tile(page, "flow"))
    expect(page.get_by_role("slider", name="Fremløbstemperatur")).to_be_visible()
    page.get_by_role("link", name="EN").click()
    expect(page).to_have_title("Schutterwald heat network", timeout=60_000)
    page.wait_for_selector(".tile")
    assert re.fullmatch(r"\d+\.\d+.kg/s", tile(page, "flow"))


def test_the_browser_decides_where_the_address_does_not(address):
    for accepted, title in (("da-DK,da;q=0.9,en;q=0.8", "Tvilling"), ("en-GB", "Tvilling")):
        request = urllib.request.Request(f"{address}/", headers={"Accept-Language": accepted})
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read().decode()
        language = accepted[:2]
        assert f'document.documentElement.lang = "{language}"' in text
        assert f"<title>{title}</title>" in text


@pytest.mark.parametrize("path", ["/", "/network", "/system/tank"])
def test_a_narrow_window_needs_no_scrolling_sideways(watched, address, path):
    page = watched.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address + path)
    page.wait_for_selector(".tile, .card", timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    wide = page.evaluate("[...document.querySelectorAll('main, main *')].filter("
                         "(one) => one.getBoundingClientRect().right > 391).length")  # fmt: skip
    assert wide == 0


def test_others_need_a_login_and_are_told_so(chromium_browser, tmp_path):
    command = [sys.executable, "-m", "tvilling.apps.cli.main", "app", "--address", "0.0.0.0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "give --basic-auth FILE or set TVILLING_BASIC_AUTH" in done.stderr
    users = tmp_path / "users.json"
    users.write_text(json.dumps({"anna": "secret"}))
    with served_app(["--basic-auth", str(users)]) as address:
        page = chromium_browser.new_page()
        hosts = set()
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        page.goto(f"{address}/")
        page.get_by_label("Name").fill("anna")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button").click()
        expect(page.get_by_role("alert")).not_to_be_empty()
        page.get_by_label("Name").fill("anna")
        page.get_by_label("Password").fill("secret")
        page.get_by_role("button").click()
        page.wait_for_selector(".card", timeout=60_000)
        page.close()
        assert hosts - {urlsplit(address).netloc, ""} == set()
