"""How a model is judged: metrics, baselines, slices, the verdict."""
