"""The batched Newton kernel: eight scenarios in one register, sparse elimination, adjoint."""
