"""Inputs that excite units most: how they are held, climbed and kept natural."""
