"""Work at stated times: a clock, a queue in SQLite, one process a run, and a record of it all."""
