"""Simulated athletes, and the best that can be said of them."""
