"""Readers of power grids, and checks of what they read."""
