"""Test benches: measured or published networks with what drove them."""
