"""CIM CGMES grids."""
