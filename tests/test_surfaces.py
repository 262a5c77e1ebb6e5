"""What users import: a few names from each package, each at home in one of them."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("sciml", "pinns", "gnn", "rl_control", "twins", "datasets", "apps", "benchmarks")
MAX_NAMES = 25
STUBS = {
    ".".join(("tvilling", *path.relative_to(ROOT).parent.parts)): path
    for folder in FOLDERS
    for path in sorted((ROOT / folder).rglob("__init__.pyi"))
}
FRONT = ROOT / "tvilling" / "__init__.pyi"
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]
CODE = re.compile(r"```(?:python|py)[^\n]*\n(.*?)```", re.DOTALL)


def exported(stub: Path) -> dict[str, Path]:
    """Names of a surface, with the file that each comes from."""
    names = {}
    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            assert node.level == 1, f"{stub}: lazy_loader takes relative imports alone"
            assert node.module is not None
            file = stub.parent.joinpath(*node.module.split("."))
            if stub == FRONT:
                file = ROOT.joinpath(*node.module.split("."))
            names |= {alias.asname or alias.name: file.with_suffix(".py") for alias in node.names}
    return names


def defined(file: Path) -> set[str]:
    """Names that a module defines or imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
    return found


@pytest.mark.parametrize("stub", [*STUBS.values(), FRONT], ids=[*STUBS, "tvilling"])
def test_a_surface_has_at_most_25_names_and_each_of_them(stub: Path) -> None:
    names = exported(stub)
    assert 0 < len(names) + (stub == FRONT) <= MAX_NAMES
    for name, file in names.items():
        assert name in defined(file), f"{file} has no {name}"
        beside = stub.parent / name
        assert not beside.is_dir(), f"{name} is a package too"
        assert not beside.with_suffix(".py").is_file(), f"{name} is a module too"


def test_a_name_is_at_home_in_one_surface() -> None:
    homes = Counter(
        (name, file) for stub in STUBS.values() for name, file in exported(stub).items()
    )
    twice = {
        f"{name} of {file.relative_to(ROOT)}" for (name, file), many in homes.items() if many > 1
    }
    assert not twice


def imports(code: str) -> list[tuple[str, str]]:
    """Module and name of each import of ours; none in a line out of a larger whole."""
    found = []
    try:
        tree = ast.parse(code)
    except SyntaxError:
        assert "import" not in code, code
        return []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tvilling"):
            found += [(str(node.module), alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [(item.name, "") for item in node.names if item.name.startswith("tvilling.")]
    return found


def test_pages_and_notebooks_import_from_surfaces_alone() -> None:
    surfaces = {name: set(exported(stub)) for name, stub in STUBS.items()}
    surfaces["tvilling"] = {*exported(FRONT), "__version__"}
    deeper = []
    for page in PAGES:
        blocks = CODE.findall(page.read_text(encoding="utf-8"))
        deeper += [(page.name, *one) for block in blocks for one in imports(block)]
    for notebook in sorted((ROOT / "examples").glob("*.py")):
        found = imports(notebook.read_text(encoding="utf-8"))
        deeper += [(notebook.name, *one) for one in found]
    assert deeper
    assert [one for one in deeper if one[2] not in surfaces.get(one[1], set())] == []


def test_every_name_is_in_the_reference() -> None:
    text = "\n".join(
        page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "reference").glob("*.md")
    )
    named = Counter(re.findall(r"^::: (tvilling[\w.]*)$", text, re.MULTILINE))
    named.update(re.findall(r"^- \[`(tvilling\.\w+)`\]", text, re.MULTILINE))
    surfaces = {name: stub for name, stub in STUBS.items() if name != "tvilling.benchmarks"}
    every = {f"{surface}.{name}" for surface, stub in surfaces.items() for name in exported(stub)}
    assert named == Counter([*every, *(f"tvilling.{name}" for name in exported(FRONT))])
