"""Plots of an evaluation: calibration, discrimination, decisions, slices, drivers, imbalances."""
