"""Data: where they come from, how they are verified and prepared, and the batches that training reads."""
