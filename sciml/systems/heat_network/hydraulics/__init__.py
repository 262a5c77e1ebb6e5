"""Mass flows and pressures of a heat network."""
