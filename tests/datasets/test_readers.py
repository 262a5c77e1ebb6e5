"""Readers on small files made by hand: every fault told, every handled value counted."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tvilling.datasets.readers.measured import aalborg, ait, destest, dk_power, flensburg, liege
from tvilling.datasets.readers.measured.destest_network import PIPE_COLUMNS, read_network
from tvilling.datasets.readers.measured.mos import read_mos
from tvilling.datasets.registry import DATASETS, describe, load
from tvilling.sciml.core.errors import InputError

METER_HEAD = ",".join(column.name for column in aalborg.METER_COLUMNS)


def faults_of(read, *args, **options) -> str:
    with pytest.raises(InputError) as caught:
        read(*args, **options)
    return str(caught.value)


def meter_file(folder: Path, rows: list[tuple[str, float, float, float, float]]) -> Path:
    lines = [f"7,8,2020-01-01T{time}:00:00Z,{e},{v},{s},{r}" for time, e, v, s, r in rows]
    (folder / aalborg.METER_FILE).write_text("\n".join([METER_HEAD, *lines]) + "\n")
    return folder


def test_meter_exchange_gap_and_spike(tmp_path):
    """By hand: 2 kWh, 0.05 m3 at 60/30 °C an hour; then an exchange, a gap and a spike."""
    rows = [
        ("00", 100, 10.00, 600, 300),
        ("01", 102, 10.05, 603, 301.5),
        ("02", 0, 0.00, 0, 0),  # a new meter
        ("03", 2, 0.05, 3, 1.5),
        ("06", 8, 0.20, 12, 6),  # hours 04 and 05 are missing
        ("07", 508, 0.25, 15, 7.5),  # 500 kWh in an hour
        ("08", 510, 0.25, 15, 7.5),  # heat without flow
        ("09", 512, 0.30, 15, 9),  # the supply register stood still
    ]
    data = aalborg.read_meter(meter_file(tmp_path, rows))
    nan = np.nan
    np.testing.assert_allclose(data["energy_kwh"], [2, nan, 2, nan, nan, nan, nan, 2, 2])
    np.testing.assert_allclose(data["heat_w"][0], 2000.0)
    np.testing.assert_allclose(data["supply_degc"], [60, nan, 60, nan, nan, nan, nan, nan, nan])
    np.testing.assert_allclose(data["return_degc"], [30, nan, 30, nan, nan, nan, nan, nan, 30])
    np.testing.assert_allclose(data["temperature_step_k"][0], 20.0)
    counted = {
        "register_resets": 4,  # all four registers of the old meter
        "missing_hours": 2,
        "energy_over_gaps_kwh": 6.0,
        "outliers": 1,
        "masked_hours": 5,
        "hours_without_flow": 1,
        "still_temperature_registers": 1,
        "missing_values": 0,
        "return_above_supply": 0,
    }
    assert counted.items() <= data.attrs.items()


def test_meter_faults_all_at_once(tmp_path):
    rows = ["7,8,2020-01-01T00:00:00Z,1,1,1,x", "7,9,yesterday,inf,1,1,1"]
    (tmp_path / aalborg.METER_FILE).write_text("\n".join([METER_HEAD, *rows]))
    text = faults_of(aalborg.read_meter, tmp_path)
    assert "3 faults" in text
    assert "row 2: back_flow_energy_m3xC is 'x'" in text
    assert "row 3: energy_heat_kwh is inf" in text
    assert "row 3: time_rounded is 'yesterday'" in text


def test_meter_file_of_two_meters_and_twice_one_hour(tmp_path):
    path = meter_file(tmp_path, [("00", 1, 1, 1, 1), ("01", 2, 2, 2, 2)]) / aalborg.METER_FILE
    text = path.read_text()
    path.write_text(text.replace("7,8,2020-01-01T01", "7,9,2020-01-01T01"))
    assert "2 meters, expected one" in faults_of(aalborg.read_meter, tmp_path)
    path.write_text(text.replace("T01:", "T00:"))
    assert "row 3: time_rounded 2020-01-01 00:00:00 stands twice" in faults_of(
        aalborg.read_meter, tmp_path
    )
    assert "expected 1 to 8760 h" in faults_of(aalborg.read_meter, tmp_path, hours=0)


def consumption_file(folder: Path, autumn_mwh: float) -> Path:
    local = pd.date_range("2021-10-31 00:00", periods=6, freq="h")
    names = [column.name for column in dk_power.CONSUMPTION_COLUMNS]
    table = pd.DataFrame(dict.fromkeys(names, 1.0), index=range(6))
    table["HourDK"] = local.strftime("%Y-%m-%d %H:%M:%S")
    table["DayOfWeek"] = "Sunday"
    table["GrossConsumptionMWh"] = [3000, 3100, autumn_mwh, 2900, 3000, 3100]
    table["temp_mean_past1h"] = np.arange(6.0)
    table.to_csv(folder / dk_power.CONSUMPTION_FILE, index=False)
    return folder


def test_autumn_sum_is_shared(tmp_path):
    data = dk_power.read_consumption(consumption_file(tmp_path, 6000.0))
    # Local 00 is 22 UTC; the sum stands for 00 and 01 UTC. The weather is in UTC already.
    expected = [3000, 3100, 3000, 3000, 2900, 3000, 3100, np.nan]
    np.testing.assert_allclose(data["consumption_mwh_per_h"], expected)
    assert list(data["consumption_split"]) == [False, False, True, True] + [False] * 4
    assert str(data["time"][0].to_numpy())[:13] == "2021-10-30T22"
    np.testing.assert_allclose(data["outdoor_degc"], [np.nan, np.nan, 0, 1, 2, 3, 4, 5])
    assert data.attrs["split_autumn_hours"] == 1


def test_autumn_hour_that_is_no_sum_is_not_shared(tmp_path):
    data = dk_power.read_consumption(consumption_file(tmp_path, 3000.0))
    assert np.isnan(data["consumption_mwh_per_h"][2:4]).all()
    assert not data["consumption_split"].any()
    assert data.attrs["doubtful_autumn_hours"] == 1
    assert data.attrs["split_autumn_hours"] == 0


def test_price_outlier_gap_and_blank(tmp_path):
    rows = ["2021-05-01 00:00:00,0.5,0.6", "2021-05-01 01:00:00,,999", "2021-05-01 03:00:00,0.5,1"]
    text = "DateTime,EL_price_DK1,EL_price_DK2\n" + "\n".join(rows)
    (tmp_path / dk_power.PRICE_FILE).write_text(text)
    data = dk_power.read_prices(tmp_path)
    np.testing.assert_allclose(data["price_dk1_dkk_per_kwh"], [0.5, np.nan, np.nan, 0.5])
    np.testing.assert_allclose(data["price_dk2_dkk_per_kwh"], [0.6, np.nan, np.nan, 1])
    assert data.attrs["missing_hours"] == 1
    assert data.attrs["missing_values"] == 1
    assert data.attrs["outliers"] == 1


def test_flensburg_gap_spike_and_stuck(tmp_path):
    loads = {0: 100, 1: 105, 2: 200, 3: 110, 5: 2000, 6: 90, 7: 90, 8: 90}
    rows = [f"2014-01-01 {hour:02}:00:00,{mw},5.0" for hour, mw in loads.items()]
    text = "time,heat_load_mw,outdoor_degc\n" + "\n".join(rows)
    (tmp_path / flensburg.FILE).write_text(text)
    data = flensburg.read(tmp_path)
    assert np.flatnonzero(np.isnan(data["heat_load_mw"])).tolist() == [4, 5]
    assert np.flatnonzero(data["heat_load_suspect"]).tolist() == [2]
    assert float(data["heat_load_mw"][2]) == 200
    counted = {"missing_hours": 1, "outliers": 1, "suspect_hours": 1, "longest_constant_run_h": 3}
    assert counted.items() <= data.attrs.items()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "no such file"),
        (b"", "empty"),
        (b"time,heat_load_mw,outdoor_degc\n", "no rows"),
        (b"time,heat_load_mw\n2014-01-01 00:00:00,1\n", "column outdoor_degc [degC] is missing"),
        (b"time,heat_load_mw,outdoor_degc,x\n2014-01-01 00:00:00,1,1,1\n", "x is not known"),
        (b"time,heat_load_mw,outdoor_degc\n2014-01-01 00:00:00,1\xff,1\n", "UTF-8"),
        (b"time,heat_load_mw,outdoor_degc\n2014-01-01 00:00:00,1,2,3\n1,2,3\n", "row 2"),
        (b"time,heat_load_mw,outdoor_degc\n2014-01-0", "row 2: 1 cells, expected 3"),
    ],
)
def test_damaged_csv(tmp_path, content, says):
    if content is not None:
        (tmp_path / flensburg.FILE).write_bytes(content)
    assert says in faults_of(flensburg.read, tmp_path)


def test_many_faults_are_cut_short(tmp_path):
    text = "time,heat_load_mw,outdoor_degc\n" + "when,1,1\n" * 50
    (tmp_path / flensburg.FILE).write_text(text)
    assert "time: 30 more such rows" in faults_of(flensburg.read, tmp_path)


def test_mos_with_two_matrices_comments_and_blanks(tmp_path):
    path = tmp_path / "two.mos"
    path.write_text("#1\n# about\ndouble a(2, 3)\n0, 1, 2 # first\n1 2;3\n\nfloat b(1,1)\n-4e-1\n")
    found = read_mos(path)
    np.testing.assert_array_equal(found["a"], [[0, 1, 2], [1, 2, 3]])
    np.testing.assert_array_equal(found["b"], [[-0.4]])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("#2\ndouble dat(1,6)\n1,1,1,1,1,1\n", "line 1: expected #1"),
        ("#1\ndouble dat(2,6)\n1,1,1,1,1,1\n", "has 1 rows, its header says 2"),
        ("#1\ndouble dat(1,6)\n1,1,1,1,1\n", "line 3: 5 numbers, expected 6"),
        ("#1\ndouble dat(1,6)\n1,1,x,1,nan,1\n", "2 faults"),
        ("#1\ndouble dat(1,5)\n1,1,1,1,1\n", "5 columns, expected 6"),
        ("#1\ndouble tab(1,6)\n1,1,1,1,1,1\n", "no matrix dat; it holds tab"),
        ("#1\n1,1\n", "expected double NAME"),
        ("#1\n", "no matrix in the file"),
    ],
)
def test_damaged_mos(tmp_path, text, says):
    (tmp_path / "PipeDataULg151202.mos").write_text(text)
    assert says in faults_of(liege.read, tmp_path, test="151202")


def test_ait_masks_what_no_water_shows(tmp_path):
    rows = ["0,373.15,373.15,0,373.15,1,1,-1,1,273.15", "900" + ",300" * 4 + ",1" * 4 + ",900"]
    (tmp_path / ait.FILE).write_text("#1\ndouble dat(2,10)\n" + "\n".join(rows))
    data = ait.read(tmp_path)
    np.testing.assert_allclose(data["water_degc"][0], [100, 100, np.nan, 100])
    assert np.isnan(data["flow_kg_per_s"].sel(point=3)[0])
    np.testing.assert_allclose(data["ambient_degc"], [0, np.nan])
    assert data.attrs["outliers"] == 3


def test_destest_header_that_means_something_else(tmp_path):
    heads = ["Datetime", "Qheat_losses_W", "Qheat_injection_W", "Critical_temp_C", "x"]
    for tool in destest.CE1_TOOLS[1:]:
        path = tmp_path / f"{tool}_Network_1.csv"
        path.write_text(",".join(heads) + "\n0,1,2,3,4\n")
    text = faults_of(destest.read_ce1_results, tmp_path)
    assert "13 faults" in text
    assert "IBPSA_Library_Plug_Flow_Network_1.csv: column 2 is 'Qheat_losses_W'" in text
    assert "AixLib_Plug_Flow_Network_1.csv: no such file" in text


def test_destest_times_that_differ(tmp_path):
    heads = "Datetime,Qheat_injection_W,Qheat_losses_W,Critical_temp_K,Critical_press_drop_Pa"
    for at, tool in enumerate(destest.CE1_TOOLS):
        rows = "\n".join(f"{900 * row},1,2,300,4" for row in range(3 - (at == 2)))
        (tmp_path / f"{tool}_Network_1.csv").write_text(f"{heads}\n{rows}\n")
    text = faults_of(destest.read_ce1_results, tmp_path)
    assert "DIMOSIM_Dynamic_Pipe: 2 times to 900 s, others have 3 to 1800 s" in text
    assert "1 fault" in text


@pytest.mark.parametrize(
    ("unit", "fits"), [("[kg/h]", True), ("[kg_h]", True), ("", True), ("[kg/s]", False)]
)
def test_destest_unit_in_a_header_must_fit(unit, fits):
    _, flow, pattern = destest.CE0_COLUMNS[1]
    assert destest._means(f"Mass flow rate supply i {unit}", flow, pattern) == fits


def test_destest_pipe_to_nowhere(tmp_path):
    (tmp_path / "Node data.csv").write_text(
        "Node,X-Position [m],Y-Position [m],Peak power [kW]\ni,0,0,1\n"
    )
    heads = ",".join(column.name for column in PIPE_COLUMNS)
    (tmp_path / "Pipe_data.csv").write_text(f"{heads}\nh,i,36,-0.05,0.045,1,1,0.035\n")
    assert "Inner Diameter [m] is -0.05 m" in faults_of(read_network, tmp_path)
    (tmp_path / "Pipe_data.csv").write_text(f"{heads}\nh,i,36,0.05,0.045,1,1,0.035\n")
    assert "row 2: Beginning Node is 'h', which is no node" in faults_of(read_network, tmp_path)


def test_damaged_workbook(tmp_path):
    (tmp_path / "Networks.xlsx").write_bytes(b"no archive")
    text = faults_of(read_network, tmp_path, "8", "workbook")
    assert "Networks.xlsx: is no ZIP archive" in text


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("dk_power", {}, "known are dk_prices"),
        ("liege", {"tset": "151202"}, "option tset is not known; known are test"),
        ("flensburg", {"year": 2014}, "known are none"),
    ],
)
def test_unknown_names_and_options(name, options, says):
    assert says in faults_of(load, name, **options)


def test_unknown_parts():
    assert "expected one of 150801" in faults_of(liege.read, Path(), test="1")
    assert "expected one of network" in faults_of(destest.read, Path(), part="ce2")
    text = faults_of(read_network, Path(), "9", "web")
    assert "expected one of 8, 16, 32" in text
    assert "expected text or workbook" in text
    assert "no pipes of variant 16" in faults_of(read_network, Path(), "16", "workbook")


def test_absent_data_say_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("TVILLING_DATA", str(tmp_path))
    monkeypatch.setenv("TVILLING_HOME", str(tmp_path / "home"))
    text = faults_of(load, "ait")
    assert str(tmp_path / "pipe_ulg_ait" / ait.FILE) in text
    assert "tvilling data get ait" in text
    assert describe("ait")["found"] is None


@pytest.mark.parametrize("name", DATASETS)
def test_every_entry_is_complete(name):
    told = describe(name)
    assert told["title"]
    assert told["licence"]
    assert told["bytes"] > 0
    assert told["help"]
    source = DATASETS[name]
    for file in source.files:
        assert len(file.sha256) == 64
        assert file.url.startswith("https://") or source.by_hand


def test_page_names_every_data_set():
    page = (Path(__file__).parents[2] / "docs" / "data.md").read_text()
    assert all(f"| `{name}` |" in page for name in DATASETS)
    assert all(f"| `{part}` |" in page for part in destest.PARTS)
