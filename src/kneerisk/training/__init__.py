"""How a model is fitted, judged, tracked and released."""
