"""Solutions that networks are compared with, where there is no short closed form.

Each is computed on its first use, in seconds, and kept in memory; each states its own error.
"""
