"""Neural networks and the trial solution (ansatz) that meets conditions exactly."""
