"""The types that everything shares: systems, scenarios, simulation, results, errors, units."""
