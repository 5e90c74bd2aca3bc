"""Migrations of the records: each is what was true when it was written, and never changes."""
