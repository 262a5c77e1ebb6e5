"""The pages are for this computer, and for others only after a login."""

import json

import pytest

from tvilling.apps.web.access import VARIABLE, check_access
from tvilling.sciml.core.errors import InputError


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


@pytest.mark.parametrize("host", ["*", "", "http://twin.example", "a/b", "twin.example:x", "a b"])
def test_a_host_that_is_none_is_refused(host):
    with pytest.raises(InputError, match="--host"):
        check_access("127.0.0.1", 5006, hosts=(host,))


@pytest.mark.parametrize("prefix", ["/a b", "/../x", "/a//b", "/a?b", "/(.*)", "http://x"])
def test_a_prefix_that_is_no_path_is_refused(prefix):
    with pytest.raises(InputError, match="--prefix"):
        check_access("127.0.0.1", 5006, prefix=prefix)


def test_a_prefix_has_one_slash_before_it_and_none_behind():
    assert [check_access("127.0.0.1", 1, prefix=one).prefix for one in ("", "/", "a/b/", "/a")] == [
        "", "", "/a/b", "/a",
    ]  # fmt: skip


def test_hosts_are_those_that_a_browser_names(users):
    assert check_access("127.0.0.1", 5006).hosts == {"localhost:5006", "127.0.0.1:5006"}
    assert "[::1]:5006" in check_access("::1", 5006).hosts
    assert {"localhost", "localhost:80"} <= check_access("127.0.0.1", 80).hosts
    asked = ("Twin.example", "other.example:443", "third.example:8443")
    hosts = check_access("0.0.0.0", 5006, users, asked).hosts
    assert {"twin.example", "twin.example:5006", "other.example", "other.example:443"} <= hosts
    assert {"localhost:5006", "third.example:8443"} <= hosts
    assert hosts & {"other.example:5006", "third.example", "localhost", "0.0.0.0"} == set()
