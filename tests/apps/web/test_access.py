"""The pages are for this computer, and for others only after a login."""

import json

import pytest

from tvilling.apps.web.access import VARIABLE, check_access
from tvilling.sciml.errors import InputError


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def users(tmp_path):
    path = tmp_path / "users.json"
    path.write_text(json.dumps({"anna": "secret"}))
    return path


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
def test_this_computer_needs_no_login(address):
    access = check_access(address, 5006)
    assert access.users is None
    assert {"localhost:5006", "127.0.0.1:5006"} == set(access.origins)


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.4", "::"])
def test_others_need_a_login(address, users, monkeypatch):
    with pytest.raises(InputError, match="--basic-auth FILE"):
        check_access(address, 80)
    assert check_access(address, 80, users).users == users
    monkeypatch.setenv(VARIABLE, str(users))
    assert check_access(address, 80).users == users


def test_further_hosts_get_the_port(users):
    access = check_access("0.0.0.0", 5006, users, ("twin.example", "twin.example:443", "fe80::1"))
    assert access.origins == (
        "0.0.0.0:5006", "twin.example:5006", "twin.example:443", "[fe80::1]:5006",
    )  # fmt: skip


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"anna": ""}', '{"anna": 1}', '["anna"]'])
def test_a_bad_file_of_users_is_refused(tmp_path, text):
    path = tmp_path / "users.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"users\.json"):
        check_access("127.0.0.1", 5006, path)


def test_a_missing_file_of_users_and_a_bad_address_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        check_access("127.0.0.1", 5006, tmp_path / "none.json")
    with pytest.raises(InputError, match="expected an IP address"):
        check_access("twin.example", 5006)
