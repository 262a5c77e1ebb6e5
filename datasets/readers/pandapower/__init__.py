"""pandapower's JSON files."""
