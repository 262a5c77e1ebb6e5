"""Check what Tvilling has kept: run folders, models, ensembles, twins, jobs, a data folder."""

from pathlib import Path

from tvilling.sciml.core.errors import InputError

CURRENT, LEDGER, JOBS = "current", "ledger.jsonl", "jobs.sqlite"


def is_kept(folder: Path) -> bool:
    """Whether `folder` holds something with which checksums, a chain or a data base were kept."""
    from tvilling.sciml.io.checksums import SUMS

    names = (SUMS, CURRENT, LEDGER, JOBS)
    return any(
        True for name in names for depth in ("", "*/", "*/*/") if _first(folder, depth + name)
    )


def check_kept(folder: Path) -> list[str]:
    """What was found whole in and below `folder`, a line each.

    Raises
    ------
    InputError
        Naming every file that is missing or damaged.
    """
    lines: list[str] = []
    faults: list[str] = []
    for check in (_check_sums, _check_pointers, _check_ledgers, _check_jobs):
        check(folder, lines, faults)
    if faults:
        raise InputError(str(folder), faults)
    return lines


def _check_sums(folder: Path, lines: list[str], faults: list[str]) -> None:
    """Every folder with a list of checksums; that of a Zarr store lies in one of its arrays."""
    from tvilling.sciml.io.checksums import SUMS, check_sums

    for sums in sorted(folder.rglob(SUMS)):
        above = sums.parent.parent
        base = above if (sums.parent / "zarr.json").is_file() or _is_group(above) else sums.parent
        try:
            count = check_sums(base, sums)
        except InputError as error:
            faults += [f"{base}: {fault}" for fault in error.faults]
        else:
            lines.append(f"{base}: {count} files are as they were written")


def _check_pointers(folder: Path, lines: list[str], faults: list[str]) -> None:
    """That the version of a twin which is the current one is there."""
    from tvilling.sciml.io.files import read_text
    from tvilling.twins.store import VERSION

    for version in sorted(folder.rglob("twin.json")):
        pointer = version.parent.parent / CURRENT
        try:
            name = read_text(pointer).strip()
        except InputError as error:
            faults += [f"{pointer}: {fault}" for fault in error.faults]
            continue
        if not VERSION.fullmatch(name) or not (pointer.parent / name).is_dir():
            faults.append(f"{pointer}: names the version {name!r}, which is not there")


def _check_ledgers(folder: Path, lines: list[str], faults: list[str]) -> None:
    from tvilling.apps.jobs.audit import ADDED
    from tvilling.twins.ledger import Ledger, verify

    for path in sorted(folder.rglob(LEDGER)):
        of_jobs = any(line["facts"].get("event") == ADDED for line in Ledger(path).read())
        if of_jobs and not (path.parent / JOBS).exists():
            faults.append(f"{path.parent / JOBS} is missing, the ledger tells of jobs")
        verdict = verify(path)
        faults += [f"{path}: {fault}" for fault in verdict.faults]
        if verdict.ok:
            lines.append(f"{path}: {'; '.join((f'{verdict.lines} lines, whole', *verdict.notes))}")


def _check_jobs(folder: Path, lines: list[str], faults: list[str]) -> None:
    """Stores of jobs: their pages, and their rows against the ledger."""
    from tvilling.apps.jobs.audit import audit
    from tvilling.apps.jobs.store import Store

    for path in sorted(folder.rglob(JOBS)):
        try:
            found = audit(Store(path.parent))
        except InputError as error:
            found = list(error.faults)
        faults += [f"{path}: {fault}" for fault in found]
        if not found:
            lines.append(f"{path}: whole, and as the ledger says")


def _is_group(folder: Path) -> bool:
    from tvilling.sciml.io.checksums import SUMS

    return not (folder / SUMS).exists() and len(list(folder.glob("*/zarr.json"))) > 0


def _first(folder: Path, pattern: str) -> Path | None:
    return next(folder.glob(pattern), None)
