"""A district-heating plant: units, storage tank, tariffs, and the linear form of it."""
