"""Voltages in a planner's units: flows, loadings, losses, limit violations, labels."""
