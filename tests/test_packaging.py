"""What a user installs: complete, importable without heavy guests, in layers, quick to start."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]
FOLDERS = {name: ROOT / folder for name, folder in SETUPTOOLS["package-dir"].items()}
NOT_SHIPPED = {"tests", "docs", "examples"}
GUESTS_CONTRACT = PROJECT["tool"]["importlinter"]["contracts"][1]
GUESTS = tuple(GUESTS_CONTRACT["forbidden_modules"])
ADAPTERS = sorted({text.split(" -> ")[0] for text in GUESTS_CONTRACT["ignore_imports"]})
SCRIPT = """
import tvilling as tv
from tvilling.sciml.systems.heat_network import HeatNetworkTables

reveal_type(tv.simulate)
reveal_type(HeatNetworkTables)
reveal_type(tv.nothing)
"""
SLOW_TO_IMPORT = {"jax", "pandas", "xarray", "matplotlib", "pandapipes", "pandapower", *GUESTS}

IMPORT_ALL = f"""
import fnmatch, importlib, importlib.abc, pkgutil, sys

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in {GUESTS}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
import tvilling
from tvilling.sciml.io.extras import MissingExtraError
for module in pkgutil.walk_packages([sys.argv[1] + "/tvilling"], "tvilling."):
    try:
        found = importlib.import_module(module.name)
    except MissingExtraError as error:
        assert any(fnmatch.fnmatch(module.name, name) for name in {ADAPTERS}), module.name
        assert f"tvilling[{{error.extra}}]" in str(error)
        assert len(str(error).splitlines()) == 1
    else:
        assert found.__file__.startswith(sys.argv[1]), found.__file__
    print(module.name)
"""


def run(
    *command: str | Path, folder: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def lint_imports(folder: Path, **environment: str) -> subprocess.CompletedProcess:
    tool = Path(sys.executable).with_name("lint-imports")
    return run(
        tool, "--no-cache", "--config", ROOT / "pyproject.toml", folder=folder, **environment
    )


def sources(folder: Path) -> set[Path]:
    """Files below `folder` that belong to the project, relative to it."""
    return {
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the contents of a wheel built from a clean copy of the sources."""
    tmp = tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (tmp / "source").mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp / "source")
    for folder in FOLDERS.values():
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(folder, tmp / "source" / folder.name, ignore=ignore)
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", tmp)
    built = run(sys.executable, "-m", "pip", "wheel", *options, tmp / "source", folder=tmp)
    assert built.returncode == 0, built.stdout + built.stderr
    with zipfile.ZipFile(next(tmp.glob("*.whl"))) as wheel:
        wheel.extractall(tmp / "site")
    return tmp / "site"


def test_package_list_equals_the_folders() -> None:
    found = {
        ".".join([name, *path.parent.parts])
        for name, folder in FOLDERS.items()
        for path in sources(folder)
        if path.suffix == ".py"
    }
    assert found == set(SETUPTOOLS["packages"])


def test_every_folder_with_code_is_shipped() -> None:
    with_code = {path.parent.name for path in ROOT.glob("[!.]*/__init__.py")}
    assert with_code - NOT_SHIPPED == {folder.name for folder in FOLDERS.values()}


def test_type_checker_sees_every_folder() -> None:
    """`make setup` links the folders for mypy one by one."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    linked = re.search(r"^FOLDERS := (.*)$", makefile, re.MULTILINE)
    assert linked is not None
    linked_too = {"tvilling"}  # file by file, since the others lie below it
    assert set(linked[1].split()) | linked_too == {folder.name for folder in FOLDERS.values()}


def test_wheel_holds_every_file_of_every_package(installed: Path) -> None:
    for name, folder in FOLDERS.items():
        packed = sources(installed.joinpath(*name.split(".")))
        if name == "tvilling":  # the others lie below it
            packed = {path for path in packed if len(path.parts) == 1}
        assert packed == sources(folder), name


def test_every_module_of_the_wheel_imports_without_the_heavy_guests(installed: Path) -> None:
    result = run(
        sys.executable, "-c", IMPORT_ALL, installed, folder=installed, PYTHONPATH=str(installed)
    )
    assert result.returncode == 0, result.stderr
    modules = {
        ".".join(("tvilling", *path.with_suffix("").parts)).removesuffix(".__init__")
        for path in sources(installed / "tvilling")
        if path.suffix == ".py"
    }
    assert {"tvilling", *result.stdout.split()} == modules


def test_folders_import_only_those_below_them() -> None:
    result = lint_imports(ROOT / ".typing")
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("package", "line", "contract"),
    [
        ("sciml", "import tvilling.datasets", "Folders import only those below them"),
        ("pinns", "import tvilling.gnn", "Folders import only those below them"),
        ("twins", "import torch", "Heavy guests are imported by their adapters only"),
    ],
)
def test_a_planted_import_is_found(
    installed: Path, tmp_path: Path, package: str, line: str, contract: str
) -> None:
    site = shutil.copytree(installed, tmp_path / "site")
    (site / "tvilling" / package / "planted.py").write_text(line + "\n", encoding="utf-8")
    result = lint_imports(tmp_path, PYTHONPATH=str(site))
    assert result.returncode == 1, result.stdout
    assert f"{contract} BROKEN" in result.stdout
    assert "planted" in result.stdout


@pytest.mark.slow
def test_a_user_of_the_wheel_sees_its_types(installed: Path, tmp_path: Path) -> None:
    """In an environment of its own, where mypy finds the package by its `py.typed`."""
    assert run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "env").returncode == 0
    site = next((tmp_path / "env" / "lib").glob("python*")) / "site-packages"
    shutil.copytree(installed, site, dirs_exist_ok=True)
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    found = run(
        sys.executable, "-m", "mypy", "--python-executable", tmp_path / "env" / "bin" / "python",
        "--cache-dir", tmp_path / "cache", "--config-file", "", "script.py", folder=tmp_path,
    ).stdout  # fmt: skip
    assert "def (system: " in found, found
    assert "-> tvilling.sciml.systems.heat_network.tables.HeatNetworkTables" in found
    assert 'Module has no attribute "nothing"' in found
    assert "Skipping analyzing" not in found


def test_bare_folder_names_are_banned(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text('"""Planted."""\n\nimport gnn\n\nprint(gnn)\n', encoding="utf-8")
    ruff = Path(sys.executable).with_name("ruff")
    result = run(ruff, "check", "--no-cache", "--config", ROOT / "pyproject.toml", planted)
    assert result.returncode == 1
    assert "TID251" in result.stdout


def test_command_line_starts_without_heavy_imports() -> None:
    code = "import sys, tvilling.apps.cli.main; print(*sys.modules)"
    result = run(sys.executable, "-c", code)
    assert result.returncode == 0, result.stderr
    assert not SLOW_TO_IMPORT & set(result.stdout.split())


def test_every_dependency_is_pinned() -> None:
    """`constraints.txt` names what `pip install tvilling[dev]` asks for, exactly."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all("==" in pin and "/" not in pin and "@" not in pin for pin in pins)
    pinned = {pin.split("==")[0].lower().replace("_", "-") for pin in pins}
    project = PROJECT["project"]
    extras = project["optional-dependencies"]
    asked = project["dependencies"] + extras["dev"]
    for text in extras["dev"]:
        if text.startswith("tvilling["):
            asked.remove(text)
            asked += [line for extra in text[9:-1].split(",") for line in extras[extra]]
    names = {text.split(">")[0].split("=")[0].split("[")[0].strip().lower() for text in asked}
    assert names - pinned == set()
