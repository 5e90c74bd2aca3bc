"""External validation: a model on a file from elsewhere, as a report to send and to pool."""
