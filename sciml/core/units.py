"""Conversions between SI and the units that engineers speak in."""

ZERO_DEGC_K = 273.15
PA_PER_BAR = 1e5
ATMOSPHERE_PA = 101_325.0
J_PER_KWH = 3.6e6
