"""The words and units that sheets are written with, and how words compare."""
