"""Readers of heat networks: CSV tables, GeoJSON and pandapipes."""
