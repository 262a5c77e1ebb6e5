"""Dimensioning of pipes, and the pipe catalogue."""
