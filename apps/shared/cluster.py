"""The same function over many items: here, or on the processes of a dask cluster.

Results come in the order of the items, and are equal bit by bit wherever they were made, as far as
the machines are alike: what runs on a worker is the same code, one item at a time.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from tvilling.sciml.core.errors import InputError
from tvilling.sciml.io.extras import needs_extra

if TYPE_CHECKING:
    from distributed import Client, Future

Item = TypeVar("Item")
Result = TypeVar("Result")

LOCAL = "local"
PROTOCOLS = ("tcp://", "tls://")
ANSWER_S = 20.0  # how long a scheduler may take to answer, and to find its first worker
AHEAD = 2  # items handed out for each worker, so that none waits and few results pile up


def map_over(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    cluster: str | None = None,
    tell: Callable[[str], None] = lambda stage: None,
) -> Iterator[Result]:
    """`function` of each item, in order, as they are done.

    Parameters
    ----------
    function
        A function of a module, a `functools.partial` of one, or an object that can be called. It is
        sent to each worker once, which keeps what it caches in itself from item to item.
    cluster
        Blank: in this process. `local`: on processes of this computer, one for each core.
        `tcp://HOST:PORT`: on the workers of that dask scheduler, which anyone who reaches the port
        may command; it belongs into a closed network, or behind `tls://`.
    tell
        Called with the number of items done.

    Raises
    ------
    InputError
        If the cluster cannot be reached, has no workers, or has another version of Tvilling.
    MissingExtraError
        If `distributed` is not installed and a cluster is asked for.
    Exception
        Whatever `function` raises for an item, when its turn has come; the rest is dropped.
    """
    if cluster is not None and cluster != LOCAL and not cluster.startswith(PROTOCOLS):
        raise InputError("cluster", [f"is {cluster!r}, expected local or tcp://HOST:PORT"])
    found = map(function, items) if cluster is None else _spread(function, items, cluster)
    return _told(found, len(items), tell)


def _told(found: Iterator[Result], count: int, tell: Callable[[str], None]) -> Iterator[Result]:
    for done, one in enumerate(found, start=1):
        tell(f"{done} of {count}")
        yield one


def _spread(
    function: Callable[[Item], Result], items: Sequence[Item], cluster: str
) -> Iterator[Result]:
    """Hand out items as workers become free, a few ahead."""
    with ExitStack() as stack:
        client = _client(cluster, stack)
        ahead = AHEAD * sum(client.nthreads().values())
        sent = client.scatter(function, broadcast=True, hash=False)
        rest = iter(items)
        at_work: deque[Future[Result]] = deque()
        stack.callback(lambda: client.cancel(list(at_work)))
        while True:
            for item in islice(rest, ahead - len(at_work)):
                at_work.append(client.submit(_call, sent, item, pure=False))
            if not at_work:
                return
            yield at_work.popleft().result()


def _client(cluster: str, stack: ExitStack) -> "Client":
    """A client of the cluster, which ends with `stack`, as does a cluster that it starts."""
    with needs_extra("jobs"):
        from distributed import Client, LocalCluster
    if cluster == LOCAL:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        started = LocalCluster(
            n_workers=cores, threads_per_worker=1, dashboard_address="127.0.0.1:0"
        )
        client: Client = stack.enter_context(Client(stack.enter_context(started)))
    else:
        try:
            client = stack.enter_context(Client(cluster, timeout=ANSWER_S))
        except OSError as error:
            raise InputError("cluster", [f"{cluster} does not answer: {error}"]) from None
    try:
        client.wait_for_workers(1, timeout=ANSWER_S)
    except TimeoutError:
        raise InputError("cluster", [f"{cluster} has no workers"]) from None
    theirs: dict[str, str] = client.run(_version)
    others = [f"{at} has tvilling {one}" for at, one in theirs.items() if one != _version()]
    if others:
        raise InputError("cluster", [f"{other}, expected {_version()}" for other in others])
    return client


def _version() -> str:
    return version("tvilling")


def _call(function: Callable[[Any], Any], item: Any) -> Any:
    return function(item)
