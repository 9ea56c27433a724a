"""Studies: claims that trained networks can contradict."""
