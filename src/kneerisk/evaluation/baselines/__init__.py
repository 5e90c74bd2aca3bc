"""Simple models that a model must beat, fitted to the same rows."""
