"""Jobs that run on time: their store, their clock and their history."""
