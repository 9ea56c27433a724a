"""Configuration: composing it, checking it, cutting it into the slice that each step reads."""
