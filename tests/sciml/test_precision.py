"""Double precision and the compilation cache, each seen from a fresh interpreter."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SHOW = (
    "import jax, jax.numpy as jnp; print(jnp.ones(2).dtype, jax.config.jax_compilation_cache_dir)"
)


def python(code: str, **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=clean | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


@pytest.mark.parametrize(
    "code",
    [
        f"import tvilling.sciml.core.errors; {SHOW}",
        f"import jax, tvilling.sciml.core.errors; {SHOW}",
        f"import tvilling.sciml.core.system; {SHOW}",
    ],
    ids=["before jax", "after jax", "core types"],
)
def test_any_part_of_sciml_switches_on_double_precision(code, tmp_path):
    dtype, folder = python(code, XDG_CACHE_HOME=str(tmp_path), JAX_ENABLE_X64="0").split()
    assert dtype == "float64"
    assert Path(folder).name == "compiled"
    assert "tvilling" in folder


@pytest.mark.parametrize("first", ["jax", "tvilling.sciml.core.errors"])
def test_a_cache_folder_that_was_chosen_is_kept(first, tmp_path):
    code = f"import {first}, tvilling.sciml.core.system; {SHOW}"
    assert python(code, JAX_COMPILATION_CACHE_DIR=str(tmp_path)).split()[1] == str(tmp_path)


def test_a_cache_folder_chosen_in_code_is_kept(tmp_path):
    choose = f"import jax; jax.config.update('jax_compilation_cache_dir', {str(tmp_path)!r})"
    assert python(f"{choose}; import tvilling.sciml.core.system; {SHOW}").split()[1] == str(
        tmp_path
    )


def test_even_quick_compilations_are_kept(tmp_path):
    code = "import tvilling.sciml.core.system, jax; jax.jit(lambda x: x * 2.5 + 1)(3.0)"
    python(code, JAX_COMPILATION_CACHE_DIR=str(tmp_path))
    assert any("lambda" in path.name for path in tmp_path.iterdir())


def test_importing_sciml_does_not_import_jax():
    code = "import sys, tvilling.sciml, tvilling.sciml.systems; print('jax' in sys.modules)"
    assert python(code) == "False"
