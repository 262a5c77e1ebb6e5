"""Forecasts of heat load and power demand, with intervals that hold."""
