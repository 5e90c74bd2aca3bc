"""Versions: how they are recorded, which one is served, and whether it can be made again."""
