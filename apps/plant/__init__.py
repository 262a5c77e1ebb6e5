"""The production plan as a job: case, plan, backtest and report."""
