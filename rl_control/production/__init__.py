"""Plans for a heat plant: the optimum, the rule, and what runs every day."""
