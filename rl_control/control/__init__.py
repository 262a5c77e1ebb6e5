"""Controllers, their objective, safety, and the bound of perfect foresight."""
