"""A person's CSV or Excel file: what its columns mean, and its rows."""
