"""Conversions between SI and the units that engineers speak in."""

ZERO_DEGC_K = 273.15
PA_PER_BAR = 1e5
J_PER_KWH = 3.6e6
