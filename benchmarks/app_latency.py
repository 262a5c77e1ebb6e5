"""How long the heat network's page takes from a slider's move to the changed figure."""

from typing import TYPE_CHECKING, Any

from tvilling.benchmarks.measurement import Measurement

if TYPE_CHECKING:
    from collections.abc import Sequence

MOVES = 40
# Milliseconds from the key to the tile's new text, by the browser's own clock.
TIME_ONE_MOVE = """
(key) => new Promise((resolve, reject) => {
  const deep = (root, found) => {
    for (const node of root.querySelectorAll("*")) {
      if (node.matches(found)) { return node }
      const inner = node.shadowRoot && deep(node.shadowRoot, found)
      if (inner) { return inner }
    }
    return null
  }
  const shown = () => deep(document, '.tile[data-key="coldest"] .value').textContent
  const before = shown()
  let began = null
  const look = (now) => {
    if (began !== null && shown() !== before) { resolve(performance.now() - began); return }
    requestAnimationFrame(look)
  }
  window.addEventListener("keydown", () => { began = performance.now() },
    {capture: true, once: true})
  requestAnimationFrame(look)
  setTimeout(() => reject(new Error("the figure did not change")), 10000)
})
"""


def slider_latencies(page: Any, moves: int = MOVES) -> "Sequence[float]":
    """Milliseconds of each of `moves` moves of the supply temperature, ten down, ten up."""
    handle = page.get_by_role("slider").first
    handle.focus()
    found = []
    for move in range(moves):
        page.evaluate(f"() => {{ window.timed = ({TIME_ONE_MOVE})() }}")
        page.keyboard.press("ArrowLeft" if (move // 10) % 2 == 0 else "ArrowRight")
        found.append(float(page.evaluate("() => window.timed")))
    return found


def measure() -> Measurement:
    """Median over 40 moves, by keyboard in Chromium, on a network of 44 consumers."""
    import statistics
    from importlib.metadata import version

    from tvilling.benchmarks.app_browser import browser, open_page, served_app

    with served_app() as address, browser() as chromium:
        window = chromium.new_context(viewport={"width": 1280, "height": 1000})
        page = open_page(window, f"{address}/network")
        slider_latencies(page, 5)
        found = slider_latencies(page)
        chromium_version = chromium.version
    ordered = sorted(found)
    return Measurement(
        name="app_latency",
        ours=statistics.median(found),
        peer=None,
        unit="ms from key to figure",
        ratio=None,
        extra={
            "moves": len(found),
            "fastest_ms": ordered[0],
            "slowest_ms": ordered[-1],
            "share_within_300_ms": sum(one <= 300.0 for one in found) / len(found),
            "panel": version("panel"),
            "chromium": chromium_version,
        },
    )
