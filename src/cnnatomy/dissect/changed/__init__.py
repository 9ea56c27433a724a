"""Samples that are changed little by little along a gradient, which several methods do."""
