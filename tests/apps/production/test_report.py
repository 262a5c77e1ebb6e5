"""Reports against the data they are made from, the Danish clock, and a reader's eyes."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.dates import num2date

from tvilling.apps.plant.case import ZONE
from tvilling.apps.plant.report import backtest_figures
from tvilling.apps.plant.report import figures as report_figures
from tvilling.apps.plant.report.hours_table import hours_table
from tvilling.apps.plant.report.report import told_check, write_backtest_report, write_plan_report
from tvilling.apps.plant.report.table import number, ways_table
from tvilling.rl_control.planning.backtest import PLANNED, RULE

CHECKED = {"unserved_mwh": 0.12, "surplus_mwh": 0.0, "tank_apart_mwh": 1.5,
           "broken": {"gas boiler: least load": 2}}  # fmt: skip
TOLD = {"assumptions": ["The load is made up."], "warnings": [], "facts": {"Tvilling": "9.9"}}


class Tags(HTMLParser):
    """Balance of tags, and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "br", "link", "img"):
            self.open.append(tag)
        self.addresses += [v for k, v in attrs if k in ("src", "href", "xlink:href")]

    def handle_startendtag(self, tag, attrs):
        self.addresses += [v for k, v in attrs if k in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(path) -> tuple[str, str]:
    """HTML and text of a report that is well formed and fetches nothing."""
    html = path.read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(html)
    assert not tags.open
    assert all(address.startswith("#") for address in tags.addresses)
    assert not re.search(r"url\(\s*['\"]?(?!#)|@import|<script", html)
    return html, " ".join(tags.text)


@pytest.fixture(scope="module")
def plan_report(plan, tmp_path_factory):
    from tvilling.apps.plant.report.labelled import plan_data

    data = plan_data(plan, title="Two days <of a town>")
    path = tmp_path_factory.mktemp("plan") / "report.html"
    write_plan_report(path, data, checked=CHECKED, **TOLD)
    return data, path


def test_the_report_of_a_plan_stands_alone(plan_report):
    data, path = plan_report
    html, text = read(path)
    assert html.count("<svg") == 4
    assert "Two days <of a town>" in text
    first = ways_table(data)[0]
    assert f"{number(first.cost_dkk)} DKK, " in text
    assert f"{number(first.saving_dkk)} DKK" in text
    assert "by the optimiser" in text
    assert f"is cheaper by more than {100 * float(data.attrs['gap']):.2f} %" in text
    assert told_check(CHECKED) in text
    assert "limits broken: gas boiler: least load 2 times" in text
    for heading in ("Ways to run the plant", "The first 36 hours", "Data and assumptions",
                    "Warnings", "Provenance"):  # fmt: skip
        assert f"<h2>{heading}</h2>" in html
    assert "The load is made up." in text


def test_a_report_is_made_again_from_the_file(plan_report, tmp_path):
    data, path = plan_report
    data.to_netcdf(tmp_path / "plan.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "plan.nc", engine="h5netcdf") as again:
        write_plan_report(tmp_path / "report.html", again, checked=CHECKED, **TOLD)
    assert (tmp_path / "report.html").read_bytes() == path.read_bytes()


def test_a_rule_and_a_held_plan_say_why(plan_set, tmp_path):
    nothing = {"gap": np.nan, "bound_dkk": np.nan, "reason": "the meter is silent"}
    rule = plan_set.assign_attrs(how="rule", **nothing)
    write_plan_report(tmp_path / "rule.html", rule, checked=None, **TOLD)
    text = read(tmp_path / "rule.html")[1]
    assert "by the operator's rule (merit order), not by the optimiser: the meter is silent" in text
    assert "costs less" not in text
    held = plan_set.sel(way=["plan"]).assign_attrs(how="hold", **nothing)
    write_plan_report(tmp_path / "hold.html", held, checked=None, **TOLD)
    text = read(tmp_path / "hold.html")[1]
    assert "the last plan is held on, the meter is silent" in text
    assert "Ways to run the plant" not in text


def test_what_the_supply_temperature_saved_is_told(plan_set, tmp_path):
    behind = {
        "outcome": "plan",
        "reason": "",
        "saved_dkk": 123.4,
        "saved_percent": 1.25,
        "parts_percent": {"total": 1.5, "loss": 1.75, "cop": 0.5, "pump": -0.75, "storage": 0.0},
    }
    data = plan_set.assign_attrs(network=json.dumps(behind))
    write_plan_report(tmp_path / "town.html", data, checked=None, **TOLD)
    text = read(tmp_path / "town.html")[1]
    assert "saves 123 DKK (1.25 %) against the heating curve" in text
    assert "heat loss 1.75 %, COP 0.50 %, pump \N{MINUS SIGN}0.75 %" in text


def test_hours_are_those_of_the_clock(plan_set):
    """27 March 2021 12:00 UTC is 13:00; the next night has no 02:00."""
    head, rows = hours_table(plan_set)
    assert len(rows) == 36
    clock = [row[0] for row in rows]
    assert clock[0] == "Sat 27 Mar 13:00 CET"
    assert clock[12:15] == [
        "Sun 28 Mar 01:00 CET",
        "Sun 28 Mar 03:00 CEST",
        "Sun 28 Mar 04:00 CEST",
    ]
    units = [name for name, unit in head if unit == "MW"][1:]
    assert units == list(plan_set["unit"].values)
    way = plan_set.sel(way="plan").isel(time=12)
    for name, cell in zip(units, rows[12][3:8], strict=True):
        heat = number(float(way["heat_mw"].sel(unit=name)), 2)
        assert cell.split("\N{NO-BREAK SPACE}")[-1] == (heat if way["on"].sel(unit=name) else "–")
    starts = sum(cell.startswith("▸") for row in hours_table(plan_set, 48)[1] for cell in row)
    assert starts == ways_table(plan_set)[0].starts


def test_expected_prices_are_marked(plan_report):
    _, path = plan_report
    html = path.read_text(encoding="utf-8")
    assert html.count("<td class='expected'>") == 36 - 34


def test_ticks_stand_at_danish_midnights(plan_set):
    axes = report_figures.draw_production(plan_set, "plan").axes[-1]
    low, high = axes.get_xlim()
    ticks = [num2date(at) for at in axes.get_xticks() if low <= at <= high]
    found = pd.DatetimeIndex(ticks).tz_convert("UTC").tz_localize(None)
    assert list(found) == [pd.Timestamp("2021-03-27T23:00"), pd.Timestamp("2021-03-28T22:00")]
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert "00\nSun 28 Mar" in labels
    assert "Danish clock" in axes.get_xlabel()


def test_the_stack_is_the_heat_of_the_units(plan_set):
    axes = report_figures.draw_production(plan_set, "plan", (RULE,)).axes[1]
    heat = plan_set["heat_mw"].sel(way="plan")
    drawn = {band.get_label(): band for band in axes.collections}
    for unit in plan_set["unit"].values:
        if not heat.sel(unit=unit).any():
            assert unit not in drawn
            continue
        corners = drawn[unit].get_paths()[0].vertices
        shoelace = np.dot(corners[:, 0], np.roll(corners[:, 1], 1))
        shoelace -= np.dot(corners[:, 1], np.roll(corners[:, 0], 1))
        mwh = 24 * abs(shoelace) / 2
        assert mwh == pytest.approx(float(heat.sel(unit=unit).sum()), rel=1e-6)


def test_units_are_known_by_what_they_turn_into_heat(ran):
    kinds = {str(u): report_figures.kind_of(ran.data.sel(unit=u)) for u in ran.data["unit"].values}
    assert kinds == {"heat pump": "heat pump", "electric boiler": "electric boiler",
                     "gas boiler": "boiler", "gas engine": "chp",
                     "solar field": "solar"}  # fmt: skip
    colours = report_figures.unit_colours(ran.data)
    assert len(set(colours.values())) == 5


def test_the_best_week_is_seven_danish_days(ran):
    week = backtest_figures.best_week(ran.data)
    local = pd.DatetimeIndex(week["time"].values).tz_localize("UTC").tz_convert(ZONE.key)
    assert local[0].hour == 0
    assert local[-1].hour == 23
    assert len(set(local.date)) == 7
    assert week.sizes["time"] == 167  # the clock goes forward in it
    saved = backtest_figures.saved_dkk(ran.data).sel(way=PLANNED)
    inside = float(saved.sel(time=week["time"]).sum())
    days = saved.groupby(xr.DataArray(
        pd.DatetimeIndex(ran.data["time"].values).tz_localize("UTC").tz_convert(ZONE.key).date
        .astype("datetime64[ns]"), dims="time", name="day")).sum().values  # fmt: skip
    assert inside == pytest.approx(max(days[k : k + 7].sum() for k in range(len(days) - 6)))
    assert float(saved.sum()) == pytest.approx(ways_table(ran.data)[2].saving_dkk)


def test_bars_of_months_add_up_to_the_table(ran):
    """Nine times 24 hours from 23 March on: the last one is in April, as the clock goes forward."""
    figure = backtest_figures.draw_months(ran.data)
    costs = {bars.get_label(): bars.patches for bars in figure.axes[0].containers}
    for way in ways_table(ran.data):
        assert sum(bar.get_height() for bar in costs[way.name]) == pytest.approx(way.cost_dkk / 1e3)
    assert [label.get_text() for label in figure.axes[1].get_xticklabels()] == [
        "Mar\n2021",
        "Apr",
    ]


def test_the_report_of_a_backtest_stands_alone(ran, tmp_path):
    path = tmp_path / "report.html"
    told = TOLD | {"warnings": ["two plans fell back"]}
    data = ran.data.assign_attrs(plans=10, fallbacks=2, forecast="ridge", forecast_mae_mw=0.31)
    write_backtest_report(path, data, checked=None, **told)
    html, text = read(path)
    assert html.count("<svg") == 5
    planned = ways_table(data)[2]
    assert f"{number(100 * planned.reached_share, 1)} % of what could be saved" in text
    dearer = f"{number(planned.cost_dkk - ways_table(data)[3].cost_dkk)} DKK"
    assert dearer in text
    assert "10, of them 2 by a fallback" in text
    assert "mean absolute error of the first day 0.31 MW" in text
    assert "two plans fell back" in text
