"""Draw the picture of the web pages: the heat network as a visitor sees it, after moved sliders."""

from pathlib import Path

from tvilling.benchmarks.app_browser import (
    browser,
    open_page,
    served_app,
    tile,
    wait_for_other_tile,
)

HERE = Path(__file__).parent
WIDE, HIGH = 1280, 1245


def main() -> None:
    """Open the page, set a cold morning, and save what is seen."""
    with served_app() as address, browser() as chromium:
        window = chromium.new_context(viewport={"width": WIDE, "height": HIGH}, locale="en-GB")
        page = open_page(window, f"{address}/network")
        for name, key, times in (
            ("Outdoors", "ArrowLeft", 16),
            ("Time", "ArrowLeft", 3),
        ):
            before = tile(page, "heat")
            slider = page.get_by_role("slider", name=name)
            for _ in range(times):
                slider.press(key)
            wait_for_other_tile(page, "heat", before)
        page.mouse.move(2, HIGH / 2)
        page.evaluate("() => document.activeElement.blur()")
        page.wait_for_timeout(1500)  # the day's curves, and the slider's own animation
        page.screenshot(path=HERE / "app.png")


if __name__ == "__main__":
    main()
