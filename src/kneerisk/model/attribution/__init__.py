"""Attributions: what each measured value adds to a risk (TreeSHAP and a linear part)."""
