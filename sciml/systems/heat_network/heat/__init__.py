"""Heat transport through pipes, mixing at junctions, and what consumers draw."""
