"""Controllers, environments and the bounds between which they stand."""
