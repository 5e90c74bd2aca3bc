"""How good a model is: metrics, baselines, slices, comparison of runs, the verdict."""
