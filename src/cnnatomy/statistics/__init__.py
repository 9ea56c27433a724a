"""How far a measured number can be trusted: intervals, and comparisons of pairs."""
