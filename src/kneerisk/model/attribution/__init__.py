"""What each measured value adds to a risk: additive attributions (TreeSHAP and a linear part)."""
