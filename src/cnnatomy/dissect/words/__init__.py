"""What filters make of words (T3)."""
