"""Ensembles: sampled scenarios run in chunks into a Zarr store that resumes after a kill.

    samples = latin_hypercube((Range("demand_w", "W", 0.0, 5e3),), count=1000, seed=1)
    data = run_ensemble(Ensemble(tank, controller, make_scenario, kept), samples, "tank.zarr")

Each chunk of scenarios is written in full and then marked in the store's variable `complete`; a
run that was killed leaves its finished chunks, and the same call does only the missing ones.
The chunks are the same whether or not the run was cut, so the result is equal bit by bit.

With each chunk go the checksums of its files (`tvilling.datasets.simulated.ensemble_sums`): a chunk
that has lost one of them, or whose bytes have changed, is run again.
"""

import hashlib
import shutil
import uuid
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from tvilling.datasets.simulated.ensemble_sums import MARK, DamagedStoreWarning, EnsembleSums
from tvilling.sciml.core.errors import InputError
from tvilling.sciml.core.scenario import Scenario
from tvilling.sciml.core.simulate import Controller, Trajectory, simulate, simulate_many
from tvilling.sciml.core.system import System, Values
from tvilling.sciml.io.zarr_store import open_zarr_store

if TYPE_CHECKING:
    import xarray as xr

Arrays = dict[str, np.ndarray]
FINGERPRINT, CHUNK = "ensemble", "chunk"


@dataclass(frozen=True)
class Kept:
    """One result that is kept of each scenario.

    Attributes
    ----------
    take
        Takes it from the scenario's trajectory; runs inside the compiled map, so a sum or a
        maximum taken here costs neither memory nor disk.
    dims, labels
        Dimensions of the result and the names along each; none for a scalar.
    """

    name: str
    unit: str
    take: Callable[[Trajectory], Array]
    dims: tuple[str, ...] = ()
    labels: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Ensemble:
    """What is run for each sample, and what is kept of it.

    Attributes
    ----------
    make_scenario
        Makes the scenario of one sample, given its parameters by name; pure, it is mapped.
    """

    system: System
    controller: Controller
    make_scenario: Callable[[Values], Scenario]
    kept: tuple[Kept, ...]


def run_ensemble(
    ensemble: Ensemble,
    samples: "xr.Dataset",
    store: Path | str,
    chunk: int = 250,
    progress: Callable[[int, int], None] = lambda done, total: None,
    map_over: Callable[[Callable[[int], Arrays], list[int]], Iterable[Arrays]] = map,
) -> "xr.Dataset":
    """Run every scenario of `samples` that `store` does not hold yet, and open the store.

    Parameters
    ----------
    samples
        Variables that lead with the dimension `scenario`, as `tvilling.datasets.simulated.samples`
        makes.
    store
        Folder of the Zarr store; made where it does not exist.
    chunk
        Scenarios run, written and marked at a time, one or more; a store keeps the one it began
        with.
    progress
        Called with the number of chunks done and of chunks in all, at the start and after each.
    map_over
        Gives a function of each number of a chunk, in order, as the built-in `map` does; another
        one may do so on other processes, such as `tvilling.apps.shared.cluster.map_over`. The store
        is written here.

    Returns
    -------
    Dataset
        `samples`, the results in `kept` and the `status` flags that each scenario raised, lazily.

    Raises
    ------
    InputError
        If `chunk` is below one, or `store` holds another ensemble or something else. What is the
        same and what cannot be told apart is said at `fingerprint`.

    Warns
    -----
    DamagedStoreWarning
        Files of the store are missing or damaged; what they held is made again.
    UncheckedStoreWarning
        The store was begun by a version that kept no checksums.
    """
    if chunk < 1:
        raise InputError("ensemble", [f"chunk is {chunk}, expected 1 or more scenarios"])
    store, count = Path(store), samples.sizes["scenario"]
    found = fingerprint(ensemble, samples)
    sums = _sums(ensemble, store)
    if not store.exists():
        _lay_out(ensemble, samples, store, chunk, found)
    elif faults := sums.damage():
        told = f"{store}: the layout is made again, since {'; '.join(faults)}"
        warnings.warn(told, DamagedStoreWarning, stacklevel=2)
        _mend_layout(ensemble, samples, store, chunk, found)
    _check_same(store, found, chunk)
    total = -(-count // chunk)
    missing = _missing(sums, count, chunk)
    progress(total - len(missing), total)
    all_results = map_over(_Chunks(ensemble, samples, chunk), missing)
    for at, (index, results) in enumerate(zip(missing, all_results, strict=True)):
        rows = slice(index * chunk, min((index + 1) * chunk, count))
        _write(store, _labelled(ensemble, results, rows), rows)
        sums.add(index)
        progress(total - len(missing) + at + 1, total)
    return open_zarr_store(store)


def _sums(ensemble: Ensemble, store: Path) -> EnsembleSums:
    return EnsembleSums(store, (*(kept.name for kept in ensemble.kept), "status"))


def _missing(sums: EnsembleSums, count: int, chunk: int) -> list[int]:
    """Numbers of the chunks that have not been run, or whose files are not as they were written."""
    total = -(-count // chunk)
    if not sums.path.is_file():  # begun by an earlier version
        done = open_zarr_store(sums.store, check=False)[MARK].values
        return [i for i in range(total) if not done[i * chunk : (i + 1) * chunk].all()]
    intact, damaged = sums.intact(total)
    for number, faults in damaged.items():
        told = f"{sums.store}: chunk {number} is run again, since {'; '.join(faults)}"
        warnings.warn(told, DamagedStoreWarning, stacklevel=3)
        sums.drop(number)
    return [number for number in range(total) if number not in intact]


@dataclass(frozen=True)
class _Chunks:
    """A function of the number of a chunk; it compiles once, wherever it has been sent."""

    ensemble: Ensemble
    samples: "xr.Dataset"
    chunk: int

    def __call__(self, index: int) -> Arrays:
        """Results of the chunk as NumPy arrays, with the rows that filled it up."""
        first = index * self.chunk
        rows = slice(first, min(first + self.chunk, self.samples.sizes["scenario"]))
        results = self._run(_rows(self.samples, rows, self.chunk))
        return {name: np.asarray(values) for name, values in results.items()}

    @cached_property
    def _run(self) -> Callable[[Values], Values]:
        return jax.jit(_runner(self.ensemble, self.chunk))


def _runner(ensemble: Ensemble, chunk: int) -> Callable[[Values], Values]:
    """A function of a chunk of samples that gives what is kept of each scenario."""

    def run(samples: Values) -> Values:
        scenarios, keep = jax.vmap(ensemble.make_scenario)(samples), _keeper(ensemble)
        return simulate_many(ensemble.system, ensemble.controller, scenarios, keep, chunk)

    return run


def _keeper(ensemble: Ensemble) -> Callable[[Trajectory], Values]:
    """What is kept of a trajectory, by name."""

    def keep(trajectory: Trajectory) -> Values:
        flags = jnp.bitwise_or.reduce(trajectory.status, axis=0)
        return {"status": flags, **{kept.name: kept.take(trajectory) for kept in ensemble.kept}}

    return keep


def _rows(samples: "xr.Dataset", rows: slice, chunk: int) -> Values:
    """One chunk of samples; the last one is filled up, so that all compile to the same code."""
    at = np.minimum(np.arange(rows.start, rows.start + chunk), samples.sizes["scenario"] - 1)
    return {
        str(name): jnp.asarray(variable.values[at]) for name, variable in samples.data_vars.items()
    }


def _labelled(ensemble: Ensemble, results: Mapping[str, Any], rows: slice) -> "xr.Dataset":
    """Results of one chunk with names and units, without the rows that filled it up."""
    import xarray as xr

    count = rows.stop - rows.start
    variables: dict[str, Any] = {
        kept.name: (
            ("scenario", *kept.dims),
            np.asarray(results[kept.name])[:count],
            {"units": kept.unit},
        )
        for kept in ensemble.kept
    }
    flags = {"units": "1", "long_name": "status flags raised at any step"}
    variables["status"] = (("scenario",), np.asarray(results["status"])[:count], flags)
    return xr.Dataset(variables)


def _write(store: Path, data: "xr.Dataset", rows: slice) -> None:
    """Write one chunk of results, and then its mark."""
    import xarray as xr

    region: dict[str, slice] = {"scenario": rows}
    data.to_zarr(store, region=region, consolidated=False)
    mark = xr.Dataset({MARK: ("scenario", np.ones(rows.stop - rows.start, bool))})
    mark.to_zarr(store, region=region, consolidated=False)


def _lay_out(
    ensemble: Ensemble, samples: "xr.Dataset", store: Path, chunk: int, found: str
) -> None:
    """Make `store` with every array at full size and no result; it appears whole or not at all."""
    import dask.array as da

    count = samples.sizes["scenario"]
    shapes = jax.eval_shape(_runner(ensemble, chunk), _rows(samples, slice(0, chunk), chunk))
    one = {name: np.zeros((1, *shape.shape[1:]), shape.dtype) for name, shape in shapes.items()}
    template = _labelled(ensemble, one, slice(0, 1)).assign(
        {MARK: ("scenario", [False], {"units": "1", "long_name": "the scenario has been run"})}
    )
    empty, encoding = {}, {}
    for name, variable in template.variables.items():
        chunks = (chunk, *variable.shape[1:])
        zeros = da.zeros((count, *variable.shape[1:]), dtype=variable.dtype, chunks=chunks)
        empty[name] = (variable.dims, zeros, variable.attrs)
        encoding[name] = {"chunks": (min(chunk, count), *variable.shape[1:])}
    names = {
        dim: list(of)
        for kept in ensemble.kept
        for dim, of in zip(kept.dims, kept.labels, strict=False)
    }
    marks = {FINGERPRINT: found, CHUNK: chunk}
    layout = samples.assign(empty).assign_coords(names).assign_attrs(marks)
    beside = store.with_name(f".unfinished-{store.name}-{uuid.uuid4().hex}")
    try:
        layout.to_zarr(beside, compute=False, consolidated=False, encoding=encoding)
        _sums(ensemble, beside).write_layout()
        beside.rename(store)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _mend_layout(
    ensemble: Ensemble, samples: "xr.Dataset", store: Path, chunk: int, found: str
) -> None:
    """Put back the files of the layout that are missing or damaged, from one made anew."""
    fresh = store.with_name(f".unfinished-{store.name}-{uuid.uuid4().hex}-anew")
    try:
        _lay_out(ensemble, samples, fresh, chunk, found)
        _sums(ensemble, store).mend(_sums(ensemble, fresh))
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _check_same(store: Path, wanted: str, chunk: int) -> None:
    try:
        attrs = open_zarr_store(store, check=False).attrs
    except InputError:
        attrs = {}
    if FINGERPRINT not in attrs:
        raise InputError(str(store), ["is there already and is not an ensemble; choose a new name"])
    if attrs[FINGERPRINT] != wanted:
        raise InputError(
            str(store),
            [
                "holds an ensemble of another system, controller, scenarios, samples, results or "
                "version; choose a new name"
            ],
        )
    if attrs[CHUNK] != chunk:
        raise InputError(
            str(store), [f"chunk is {chunk}, expected {attrs[CHUNK]}, with which the store began"]
        )


def fingerprint(ensemble: Ensemble, samples: "xr.Dataset") -> str:
    """Digest of all that decides the results, the same for every chunk.

    It is taken of the computation that JAX makes of one scenario, from its sample to what is kept
    of it. So it covers every array, static field, closure and global that the system, the
    controller, `make_scenario` and `take` use, and the code of their functions, but neither names
    nor comments in it. The values and the order of `samples`, names and units of the results, and
    the versions of tvilling and JAX are added.

    What cannot be seen: what a host callback does, and the machine, on which the last bits of a
    result may depend.
    """
    digest = hashlib.sha256(f"tvilling {version('tvilling')} jax {jax.__version__}".encode())
    for part in (ensemble.system, ensemble.controller):
        digest.update(f"{type(part).__module__}.{type(part).__qualname__}".encode())
    for name, variable in samples.variables.items():
        digest.update(f"{name} {variable.dims} {variable.dtype} {variable.shape}".encode())
        digest.update(np.ascontiguousarray(variable.values).tobytes())
    for kept in ensemble.kept:
        digest.update(f"{kept.name} {kept.unit} {kept.dims} {kept.labels}".encode())
    digest.update(_computation(ensemble, samples).encode())
    return digest.hexdigest()


def _computation(ensemble: Ensemble, samples: "xr.Dataset") -> str:
    """The program of one scenario as StableHLO text, with every constant in full."""

    def one(sample: Values) -> Values:
        scenario = ensemble.make_scenario(sample)
        return _keeper(ensemble)(simulate(ensemble.system, ensemble.controller, scenario))

    first = {name: values[0] for name, values in _rows(samples, slice(0, 1), 1).items()}
    return jax.jit(one).lower(first).as_text()
