"""Data assimilation: ensembles, priors, gating, and the ensemble update."""
