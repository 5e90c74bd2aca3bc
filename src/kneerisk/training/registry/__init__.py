"""Which version is served, and whether it can be made again."""
