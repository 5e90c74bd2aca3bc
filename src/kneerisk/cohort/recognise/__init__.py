"""A sheet that nobody has described: what its columns mean, and its rows as screenings."""
