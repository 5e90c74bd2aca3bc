"""A champion corrected by a club's outcomes."""
