"""What counted in a sample: maps of it, and how far they can be believed (M13, S5, T3)."""
