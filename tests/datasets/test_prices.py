"""Price days: from the record where it is at hand, and never the same day in both parts."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tvilling.datasets.prices import price_days
from tvilling.sciml.core.errors import InputError

RAW = "dk_power/spot_price_dkk_per_kwh_2018_2022.csv"


@pytest.mark.data
@pytest.mark.parametrize("days", [1, 2])
def test_no_day_of_the_record_is_in_both_parts(days):
    """More are drawn than there are, so nearly every stretch of each part is seen."""
    seen = {}
    for part in ("training", "held_out"):
        first = pd.DatetimeIndex(price_days(9000, 0, part, days)["date"].to_numpy())
        seen[part] = {day + pd.Timedelta(days=k) for day in first for k in range(days)}
    assert not seen["training"] & seen["held_out"]
    together = seen["training"] | seen["held_out"]
    assert min(together) >= pd.Timestamp("2018-01-01")
    assert max(together) <= pd.Timestamp("2022-12-31")
    assert len(seen["held_out"]) / len(together) == pytest.approx(0.2, abs=0.02)


@pytest.mark.data
def test_the_second_of_every_five_weeks_is_held_out():
    mondays = pd.date_range("2018-01-08", "2022-12-31", freq="35D")
    for part, expected in (("training", False), ("held_out", True)):
        first = pd.DatetimeIndex(price_days(9000, 0, part)["date"].to_numpy())
        monday = first - pd.to_timedelta(first.weekday, "D")
        assert (monday.isin(mondays) == expected).all()


@pytest.mark.data
def test_a_stretch_is_the_prices_of_its_days(data_folder: Path):
    """Against the file itself, by local time; its spring row of a change was invented."""
    table = pd.read_csv(data_folder / RAW, parse_dates=["DateTime"]).set_index("DateTime")
    drawn = price_days(20, 5, "held_out", days=2)
    assert drawn.attrs["kind"] == "recorded"
    for date, price in zip(
        drawn["date"].to_numpy(), drawn["price_dkk_per_kwh"].to_numpy(), strict=True
    ):
        hours = pd.date_range(date, periods=48, freq="h")
        np.testing.assert_array_equal(price, table.loc[hours, "EL_price_DK1"])


@pytest.mark.data
def test_stretches_differ_as_long_as_there_are_enough():
    date = price_days(300, 1, "held_out")["date"].to_numpy()
    assert len(np.unique(date)) == 300
    assert (price_days(300, 1, "held_out")["date"].to_numpy() == date).all()
    assert (price_days(300, 2, "held_out")["date"].to_numpy() != date).any()


@pytest.fixture
def _no_record(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TVILLING_DATA", raising=False)
    monkeypatch.setenv("TVILLING_HOME", str(tmp_path))


@pytest.mark.usefixtures("_no_record")
def test_without_the_record_the_formula_answers_and_says_so():
    parts = [price_days(50, 4, part) for part in ("training", "held_out")]
    for part in parts:
        assert part.attrs["kind"] == "synthetic"
        assert part["price_dkk_per_kwh"].shape == (50, 24)
        assert part["price_dkk_per_kwh"].attrs["units"] == "DKK/kWh"
    rows = np.concatenate([part["price_dkk_per_kwh"].to_numpy() for part in parts])
    assert len(np.unique(rows, axis=0)) == 100


@pytest.mark.usefixtures("_no_record")
def test_the_record_is_asked_for_and_not_there():
    with pytest.raises(InputError, match="dk_prices"):
        price_days(1, 0, recorded=True)


def test_every_fault_of_a_request_is_told():
    with pytest.raises(InputError) as error:
        price_days(0, 0, "testing", 8)  # type: ignore[arg-type]
    assert len(error.value.faults) == 3
    assert "1 to 7" in str(error.value)
