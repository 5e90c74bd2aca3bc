"""The HTTP service: a screening in, an answer per knee out."""
