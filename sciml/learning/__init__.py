"""What every training shares: the loop, checkpoints, conformal intervals, footprint."""
