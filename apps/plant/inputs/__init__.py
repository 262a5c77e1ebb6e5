"""Inputs of a plan: meters, forecasts, initial state, supply network."""
