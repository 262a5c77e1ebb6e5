"""AC power grids: the model as pandapower converts it, batched power flow, its gradients."""
