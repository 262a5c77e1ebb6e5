"""What is asked of a grid: years, contingencies, hosting capacity, sensitivities, optimal flow."""
