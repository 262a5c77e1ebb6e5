"""What every workload shares: case files, run folders, clusters, terminal output."""
