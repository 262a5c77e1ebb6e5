"""Reports and tables of plans and backtests."""
