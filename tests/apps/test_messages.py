"""Messages that few users meet: each says what is wrong, and what is expected."""

import socket
from datetime import date as day
from pathlib import Path

import pandas as pd
import pytest
from plant_files import write_case
from web_server import access_to

from tvilling.apps.jobs.job import add_job
from tvilling.apps.jobs.kinds import kind_of_case
from tvilling.apps.jobs.store import Store
from tvilling.apps.plant.backtest import by_year
from tvilling.apps.plant.case import PlantCase
from tvilling.apps.plant.inputs.known import HOUR, gather
from tvilling.apps.plant.inputs.supply_network import read_town
from tvilling.apps.shared.case_file import read_case
from tvilling.apps.web.access import read_users
from tvilling.sciml.core.errors import InputError


def test_a_case_without_system_or_kind_asks_for_the_kind(tmp_path: Path) -> None:
    case = tmp_path / "case.yaml"
    case.write_text("title: nothing\n", encoding="utf-8")
    with pytest.raises(
        InputError, match="neither a system nor a kind of job; say which with --kind"
    ):
        kind_of_case(case)


@pytest.mark.parametrize("name", [".plan", "a plan", "p" * 62, ""])
def test_a_job_has_a_short_plain_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("TVILLING_HOME", str(tmp_path / "home"))
    store = Store.at_home()
    with pytest.raises(InputError, match=r"expected up to 61 of A-Z a-z 0-9"):
        add_job(store, name, write_case(tmp_path), "at 06:00")


@pytest.mark.parametrize(("first", "last"), [(4, 4), (4, 3)])
def test_a_backtest_has_two_days_in_order(first: int, last: int) -> None:
    with pytest.raises(InputError, match=r"2021-01-04 to 2021-01-0\d, expected two days or more"):
        by_year((day(2021, 1, first), day(2021, 1, last)))


@pytest.mark.data
def test_the_load_of_flensburg_ends_with_its_record(tmp_path: Path) -> None:
    path = write_case(tmp_path, load={"kind": "flensburg", "annual_mwh": 9e4})
    case = read_case(path, (), PlantCase)
    at = pd.Timestamp("2031-02-16T12:00").to_datetime64()
    with pytest.raises(InputError, match="the load of Flensburg stands on 2020 to 2022 only"):
        gather(case, path, at, at + 48 * HOUR)


def test_a_network_behind_a_held_supply_needs_a_heating_curve(tmp_path: Path) -> None:
    path = write_case(tmp_path, network={"case": "town.yaml"})
    case = read_case(path, (), PlantCase)
    with pytest.raises(InputError, match=r"forward is held, a network needs a heating_curve"):
        read_town(case, path, lambda stage: None)


@pytest.mark.parametrize("text", ["[]", "{}", '{"anna": 1}', '{"anna": ""}'])
def test_a_file_of_users_holds_names_and_passwords(tmp_path: Path, text: str) -> None:
    users = tmp_path / "users.json"
    users.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r'an object such as \{"name": "password"\}'):
        read_users(users)


# Bokeh leaves the socket that it could not bind to the collector.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket")
def test_a_port_that_is_taken_is_named() -> None:
    from tvilling.apps.web.loading import Loading
    from tvilling.apps.web.server import make_server

    access = access_to()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", access.port))
        taken.listen()
        with pytest.raises(InputError, match=f"cannot listen on 127.0.0.1, port {access.port}: "):
            make_server(access, Loading(lambda tell: None))
