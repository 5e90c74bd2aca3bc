"""Training logs: the sessions that watches, apps and people write down, and the load they make."""
