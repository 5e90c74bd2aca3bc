"""What of a model is drawn."""
