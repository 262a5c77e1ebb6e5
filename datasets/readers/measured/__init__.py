"""Readers of measured data sets."""
