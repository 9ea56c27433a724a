"""What studies measure of a trained network beyond its accuracy, one module a subject."""
