"""Command line, pages and jobs: whatever ties the rest together."""
