"""Heat-network runs: case, simulation, sizing, report."""
