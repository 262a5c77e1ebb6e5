"""Physics: types, numerics and systems."""
