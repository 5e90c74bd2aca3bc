"""What a run records of a model: parameters, data sets, metrics, plots, card and bundle."""
