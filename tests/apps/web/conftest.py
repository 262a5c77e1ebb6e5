"""A file of users, and a server behind a login that the tests of a module share."""

import json

import pytest


@pytest.fixture(scope="session")
def users(tmp_path_factory):
    path = tmp_path_factory.mktemp("users") / "users.json"
    path.write_text(json.dumps({"anna": "secret"}))
    return path


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def guarded(users, monkeypatch_module):
    pytest.importorskip("panel")
    from web_server import access_to, served

    from tvilling.apps.web import login

    monkeypatch_module.setattr(login, "WRONG_S", 0.0)
    with served(access_to(users)) as found:
        yield found
