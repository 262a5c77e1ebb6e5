"""Double precision and the compilation cache, switched on for everything that runs physics.

Physics needs float64: a network solved in float32 closes its energy balance to about one part
in 1e5, so a leak or a wrong coefficient of that size cannot be seen. JAX starts in float32, and
arrays made before it is switched stay so. `set_up` is therefore called by `tvilling.sciml`
itself, before any module below it can make an array.

Compiled code is kept in the user's cache folder, so that a second run does not compile again.
`JAX_COMPILATION_CACHE_DIR` names another folder; the folder may be deleted at any time.
"""

import os
import sys
from pathlib import Path

import platformdirs

CACHE_DIR = "jax_compilation_cache_dir"


def cache_folder() -> Path:
    """Where compiled code is kept when nothing else has been chosen."""
    return Path(platformdirs.user_cache_dir("tvilling")) / "compiled"


def set_up() -> None:
    """Run JAX in float64 with a persistent compilation cache, without importing JAX.

    The settings go into the environment, which JAX reads when it is imported and which worker
    processes inherit. If JAX is there already they are given to it as well. A cache folder that
    was chosen before is kept; float64 is not optional.
    """
    settings: dict[str, object] = {
        "jax_enable_x64": True,
        CACHE_DIR: os.environ.get(CACHE_DIR.upper(), str(cache_folder())),
        "jax_persistent_cache_min_compile_time_secs": 0.0,  # JAX would skip all under a second
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    jax = sys.modules.get("jax")
    if jax is not None and jax.config.jax_compilation_cache_dir is not None:
        settings[CACHE_DIR] = jax.config.jax_compilation_cache_dir
    for name, value in settings.items():
        os.environ[name.upper()] = str(value)
        if jax is not None:
            jax.config.update(name, value)
