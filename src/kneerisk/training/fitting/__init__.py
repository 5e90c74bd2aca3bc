"""How a model is fitted: inputs, linear part, trees, intervals, imbalances."""
