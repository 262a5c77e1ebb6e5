"""Forecasts of load and of prices."""
