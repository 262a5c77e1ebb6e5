"""Physics: types, numerics and systems."""

from tvilling.sciml.precision import set_up

set_up()
