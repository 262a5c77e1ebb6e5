"""MATPOWER cases, as text and as MATLAB data."""
