"""What a column means: every candidate, and when one is certain."""
