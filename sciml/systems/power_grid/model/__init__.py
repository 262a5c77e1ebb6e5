"""A power grid as arrays, converted from a pandapower network."""
