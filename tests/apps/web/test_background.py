"""Work beside the page: the newest request wins, and no error is lost."""

import queue
import threading

import pytest

from tvilling.apps.web.loading import Loading
from tvilling.apps.web.worker import Latest

WAIT_S = 10.0


def test_requests_between_the_first_and_the_last_are_passed_over():
    begun, go_on = threading.Event(), threading.Event()
    told: queue.Queue = queue.Queue()

    def work(request, superseded):
        if request == 0:
            begun.set()
            assert go_on.wait(WAIT_S)
            assert superseded()
        yield request

    worker = Latest(work, told.put, told.put, lambda call: call())
    worker.submit(0)
    assert begun.wait(WAIT_S)
    for request in (1, 2, 3):
        worker.submit(request)
    go_on.set()
    assert [told.get(timeout=WAIT_S) for _ in range(2)] == [0, 3]
    worker.submit(4)
    assert told.get(timeout=WAIT_S) == 4
    assert told.empty()


def test_an_error_is_told_and_the_next_request_is_worked_on():
    told: queue.Queue = queue.Queue()

    def work(request, superseded):
        yield 1.0 / request

    worker = Latest(work, told.put, lambda error: told.put(type(error)), lambda call: call())
    worker.submit(0)
    assert told.get(timeout=WAIT_S) is ZeroDivisionError
    worker.submit(4)
    assert told.get(timeout=WAIT_S) == 0.25


def test_loading_tells_its_stages_and_is_made_once():
    go_on, made = threading.Event(), []
    stages: queue.Queue = queue.Queue()

    def make(tell):
        tell("first")
        assert go_on.wait(WAIT_S)
        made.append(1)
        return 42

    loading = Loading(make)
    forget = loading.watch(lambda: stages.put((loading.stage, loading.done)))
    loading.start()
    loading.start()
    assert stages.get(timeout=WAIT_S) == ("first", False)
    go_on.set()
    assert stages.get(timeout=WAIT_S) == ("first", True)
    assert (loading.value, loading.error, made) == (42, None, [1])
    forget()
    loading.watch(lambda: stages.put("at once"))
    assert stages.get(timeout=WAIT_S) == "at once"


def test_what_cannot_be_loaded_is_told_on_the_page():
    pytest.importorskip("panel")
    from tvilling.apps.web.text import Labels
    from tvilling.apps.web.waiting import when_loaded

    def make(tell):
        raise OSError("no such <file>")

    loading, ended = Loading(make), threading.Event()
    loading.watch(ended.set)
    loading.start()
    assert ended.wait(WAIT_S)
    body = when_loaded(loading, Labels("da"), "Net", lambda value, document: [])
    assert "Siden kunne ikke indlæses: OSError: no such &lt;file&gt;" in body[0].object
