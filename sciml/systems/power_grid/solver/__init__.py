"""Power flow of many scenarios: starts, limits, slack sharing, continuation, derivatives."""
