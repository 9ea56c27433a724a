"""What counted in a sample: maps of it, and how far they can be believed."""
