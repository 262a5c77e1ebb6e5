"""The graph of a heat network and sums along its spanning trees."""
