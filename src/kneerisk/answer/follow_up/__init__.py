"""Two or more visits of one athlete compared: the request, what changed, and its answer."""
