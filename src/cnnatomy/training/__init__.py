"""Training with Lightning: the only room that imports it, and only when a network is really trained."""
