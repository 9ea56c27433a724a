"""Inputs that excite units most: how they are held, climbed and kept natural (M6 to M8)."""
