"""What a run records: where its data came from, and what stands on its page."""
