"""Twins: a system, a belief about its state, and a clock."""
