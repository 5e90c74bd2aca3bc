"""Validation reports and pooled ones as pages to print, and their runs in MLflow."""
