"""Reports, tables and figures of grid studies."""
