"""Studies of a power grid from the command line: files in, tables and a report out."""
