"""Simulated data: scenario ensembles, sampled networks, loads and weather."""
