"""No route does anything before login, and no host, origin, path or address leads astray."""

import asyncio
import re
import sys
from urllib.parse import quote, urlsplit

import pytest

pytest.importorskip("panel")

from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect
from web_server import TOKEN, access_to, closed, handshake, open_socket, served

from tvilling.apps.web.addresses import page_addresses, page_of, relative
from tvilling.apps.web.gate import COOKIE
from tvilling.apps.web.logins import DAY_S, MAX_LOGINS, Logins

INJECTIONS = [
    "<script>document.title='XSS ran'</script>",
    "<img src=x onerror=\"document.title='XSS img'\">",
    "<script>document.forms[0].action='http://evil.example/'</script>",
    "\"'><svg/onload=alert(1)>{{ 7 * 7 }}{% raw 1 %}",
]
ASTRAY = [
    "https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example",
    "javascript:alert(1)", "data:text/html,x", "/%0d%0aSet-Cookie:x=1", "/network@evil.example",
    "/logout", "/components/this/x/css/y", "http:network", "///evil.example", "[",
    "/network\r\nX: 1",
]  # fmt: skip


def routes(server):
    """An example of every path that the running server has a handler for."""
    found = {"/alive"}
    rules = list(server._tornado.default_router.rules)
    while rules:
        rule = rules.pop()
        rules += getattr(rule.target, "rules", [])
        if pattern := getattr(getattr(rule.matcher, "regex", None), "pattern", ""):
            path = re.sub(r"\(\?!.*?\)|/\?\$?$", "", pattern)
            found.add(path.replace("(.*)", "this/x/css/y").rstrip("$") or "/")
    return sorted(found)


def test_every_route_of_the_server_leads_to_the_login(guarded):
    found = routes(guarded.server)
    assert {"/network", "/system/tank/ws", "/components/this/x/css/y", "/login"} <= set(found)
    for path in found:
        answer = guarded.ask(path)
        if path in ("/login", "/logout"):
            assert answer.status == 200
        elif path.endswith("/ws"):
            assert answer.status == 403, path
        else:
            assert answer.status == 302, path
            assert urlsplit(answer.headers["location"]).path.strip("./") == "login"


def test_no_module_is_imported_by_an_address(guarded):
    for module in ("this", "antigravity"):
        sys.modules.pop(module, None)
        assert guarded.ask(f"/components/{module}/x/css/y").status == 302
        cookie = guarded.log_in()
        assert guarded.ask(f"/components/{module}/x/css/y", Cookie=cookie).status == 404
        assert module not in sys.modules


@pytest.mark.parametrize("text", INJECTIONS)
@pytest.mark.parametrize("name", ["error", "next", "lang", "other"])
def test_nothing_of_the_address_is_on_the_login_page(guarded, name, text):
    plain = guarded.ask("/login").text
    assert guarded.ask(f"/login?{name}={quote(text)}").text == plain
    assert guarded.ask(f"/login?{name}={quote(text)}", "POST", "username=a").text.count("<") == (
        plain.count("<")
    )
    assert "<script" not in plain


@pytest.mark.parametrize("text", INJECTIONS)
def test_nothing_of_the_address_is_on_other_pages(guarded, text):
    cookie = guarded.log_in()
    answer = guarded.ask(f"/?lang={quote(text)}&error={quote(text)}", Cookie=cookie)
    assert answer.status == 200
    assert text not in answer.text
    missing = guarded.ask("/" + quote(text), Cookie=cookie)
    assert missing.status == 404
    assert "There is no such page." in missing.text
    assert text not in missing.text


@pytest.mark.parametrize("asked", ASTRAY)
def test_a_login_leads_to_a_page_of_this_server(guarded, asked):
    answer = guarded.ask(f"/login?next={quote(asked)}", "POST", "username=anna&password=secret")
    assert (answer.status, answer.headers["location"]) == (303, "./")
    assert page_of(asked) == "/"


def test_a_bookmark_is_kept_over_the_login(guarded):
    sent = guarded.ask("/system/tank/?lang=da&x=1").headers["location"]
    assert sent == "../../login?next=%2Fsystem%2Ftank%3Flang%3Dda"
    answer = guarded.ask(sent.replace("../..", ""), "POST", "username=anna&password=secret")
    assert answer.headers["location"] == "./system/tank?lang=da"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_a_foreign_host_is_not_answered(guarded, host):
    port = guarded.access.port
    for name in (host, f"{host}:{port}"):
        for path in ("/", "/network", "/login", "/static/js/bokeh.min.js", "/network/ws", "/none"):
            answer = guarded.ask(path, Host=name, Origin=f"http://{name}")
            assert answer.status in (400, 421), path
            assert "location" not in answer.headers


def test_a_foreign_origin_is_not_answered(guarded):
    cookie, host = guarded.log_in(), guarded.host
    for origin in ("http://evil.example", "null", f"http://{host}.evil.example", f"ftp://{host}",
                   "http://127.0.0.1:1", "http://127.0.0.1", "http://["):  # fmt: skip
        for path in ("/network", "/network/ws", "/static/js/bokeh.min.js"):
            assert guarded.ask(path, Origin=origin, Cookie=cookie).status == 403, (path, origin)
        body = "username=anna&password=secret"
        assert guarded.ask("/login", "POST", body, Origin=origin).status == 403
    assert guarded.ask("/alive", Origin=f"http://{host}", Cookie=cookie).status == 204


def test_a_socket_needs_the_login_and_a_session_of_the_server(guarded):
    async def first_message(one):
        place = HTTPRequest(f"ws://{guarded.host}/ws", headers={"Cookie": cookie})
        socket = await websocket_connect(place, subprotocols=["bokeh", one])
        message = await socket.read_message()
        await closed(socket, ended=message is None)
        return message

    cookie = guarded.log_in()
    token = TOKEN.search(guarded.ask("/", Cookie=cookie).text)[1]
    assert handshake(guarded, token, Cookie=cookie) == 101
    assert handshake(guarded, token) == 403
    assert handshake(guarded, token, Cookie=cookie, Origin="http://evil.example") == 403
    assert handshake(guarded, token, Cookie=cookie, Origin=f"http://{guarded.host}") == 101
    assert asyncio.run(first_message(token)) is not None
    unsigned = token.rpartition(".")[0] + "." + "x" * 43
    assert asyncio.run(first_message(unsigned)) is None
    for chosen in ("bokeh-session-id=abc", f"bokeh-token={token}"):
        assert guarded.ask(f"/?{chosen}", Cookie=cookie).status == 400
    assert guarded.ask("/", Cookie=cookie, Bokeh_Session_Id="abc").status == 400


def test_the_page_carries_no_cookie_and_the_cookie_is_no_script_s(guarded):
    from bokeh.util.token import get_token_payload

    answer = guarded.ask("/login", "POST", "username=anna&password=secret")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(COOKIE)
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    behind = guarded.ask("/login", "POST", "username=anna&password=secret",
                         Origin=f"https://{guarded.host}", X_Forwarded_Proto="https")  # fmt: skip
    assert "Secure" in behind.headers["set-cookie"]
    page = guarded.ask("/", Cookie=cookie.split(";")[0])
    payload = get_token_payload(TOKEN.search(page.text)[1])
    assert payload["cookies"] == {}
    assert set(payload["headers"]) <= {"Accept-Language"}


def test_every_answer_has_the_headers_and_lets_no_data_out(guarded):
    cookie = guarded.log_in()
    for path in ("/", "/login", "/logout", "/none", "/static/js/bokeh.min.js", "/network/ws"):
        for headers in ({}, {"Cookie": cookie}):
            answer = guarded.ask(path, **headers)
            cookie = guarded.log_in() if path == "/logout" else cookie
            policy = {
                part.split()[0]: part.split()[1:]
                for part in answer.headers["content-security-policy"].split(";")
            }
            hosts = {f"{scheme}://{host}" for scheme in ("ws", "wss")
                     for host in guarded.access.hosts}  # fmt: skip
            allowed = {"'self'", "'none'", "blob:", "data:", *hosts}
            assert set(policy.get("connect-src", policy["default-src"])) <= allowed
            assert policy["base-uri"] == ["'none'"]
            assert policy["form-action"] == ["'self'"]
            assert policy["frame-ancestors"][0] in ("'self'", "'none'")
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "same-origin"
            assert "server" not in answer.headers
            assert "access-control-allow-origin" not in answer.headers


def test_pages_load_nothing_from_elsewhere(guarded):
    for path in ("/login", "/logout", "/"):
        text = guarded.ask(path, Cookie=guarded.log_in()).text
        loaded = re.findall(r"""(?:src|href|action)=["']?([^"'\s>]+)""", text)
        assert [one for one in loaded if re.match(r"\w+:|//", one) and one[:5] != "data:"] == []


@pytest.mark.parametrize(
    "path",
    [
        "/static/../../../../etc/passwd", "/static/%2e%2e/%2e%2e/etc/passwd",
        "/static/js/..%2f..%2f..%2fetc/passwd", "/static/js//etc/passwd",
        "/static/extensions/panel/../../../../etc/passwd", "/static/extensions//etc/passwd",
        "/static/extensions/panel/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/static/extensions/none/x",
        "/static/js/..\\..\\secret", "/static/js/%00", "/static/extensions/panel",
    ],
)  # fmt: skip
def test_static_files_are_those_of_the_libraries(guarded, path):
    answer = guarded.ask(path, Cookie=guarded.log_in())
    assert answer.status in (400, 403, 404), answer.text[:200]
    assert "root:" not in answer.text


def test_only_reading_is_allowed_and_forms_are_small(guarded):
    cookie = guarded.log_in()
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "POST"):
        assert guarded.ask("/network", method, Cookie=cookie).status in (405, 400), method
    with pytest.raises((ConnectionError, AssertionError)):
        assert guarded.ask("/login", "POST", "username=" + "x" * 100_000).status != 400
    wrong = guarded.ask("/login", "POST", "username=anna&password=%ff")
    assert wrong.status in (400, 403)
    assert "set-cookie" not in wrong.headers


def test_logging_out_ends_the_login_and_its_open_pages(guarded):
    async def gone():
        cookie = guarded.log_in()
        socket = await open_socket(guarded, "/", Cookie=cookie)
        loop = asyncio.get_running_loop()
        crossing = {"Cookie": cookie, "Sec_Fetch_Site": "cross-site"}
        await loop.run_in_executor(None, lambda: guarded.ask("/logout", **crossing))
        assert guarded.ask("/alive", Cookie=cookie).status == 204
        answer = await loop.run_in_executor(None, lambda: guarded.ask("/logout", Cookie=cookie))
        assert "You are logged out." in answer.text
        assert guarded.ask("/alive", Cookie=cookie).status == 302
        await closed(socket, here=False)
        return True

    assert asyncio.run(gone())


def test_tokens_end_after_a_day_and_are_not_endless(users):
    clock = [0.0]
    logins = Logins(users, lambda: clock[0])
    assert logins.open("anna", "") is None
    assert logins.open("", "") is None
    assert logins.open("bert", "secret") is None
    token = logins.open("anna", "secret")
    assert logins.knows(token)
    assert not logins.knows(None)
    clock[0] = DAY_S
    assert not logins.knows(token)
    for _ in range(3):
        logins.open("anna", "secret")
    assert len(logins._ends_s) == 3
    logins._ends_s |= {str(at): DAY_S * 3 for at in range(MAX_LOGINS)}
    assert logins.knows(logins.open("anna", "secret"))
    assert len(logins._ends_s) == MAX_LOGINS


@pytest.mark.parametrize(
    ("here", "there", "link"),
    [
        ("/", "/", "./"),
        ("/", "/network?lang=da", "./network?lang=da"),
        ("/system/tank", "/", "../"),
        ("/system/tank", "/system/tank?lang=en", "../system/tank?lang=en"),
        ("/network/", "/login", "../login"),
        ("//evil.example/x", "/login", "../../login"),
    ],
)
def test_links_are_relative(here, there, link):
    assert relative(here, there) == link


def test_below_a_prefix_nothing_else_is_served(users):
    with served(access_to(users, prefix="energy/twin/")) as one:
        assert one.ask("/energy/twin").headers["location"] == "../energy/twin/"
        assert one.ask("/").headers["location"] == "./energy/twin/"
        for path in ("/network", "/energy", "/energy/twinning", "/static/js/bokeh.min.js", "/ws"):
            assert one.ask(path).status == 404, path
        for path in page_addresses():
            sent = one.ask(f"/energy/twin{path}").headers["location"]
            assert sent.split("?")[0] == relative(path, "/login")
        cookie = one.log_in()
        answer = one.ask("/energy/twin/login", "POST", "username=anna&password=secret")
        assert "Path=/energy/twin" in answer.headers["set-cookie"]
        page = one.ask("/energy/twin/system/tank", Cookie=cookie)
        assert page.status == 200
        slash = one.ask("/energy/twin/system/tank/?lang=da", Cookie=cookie)
        assert (slash.status, slash.headers["location"]) == (302, "../../system/tank?lang=da")
