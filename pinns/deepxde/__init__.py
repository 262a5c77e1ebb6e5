"""DeepXDE: its problems trained with our optimisers, its geometries as shapes."""
