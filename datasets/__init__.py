"""Measured data and network files, read into labelled arrays."""
