"""What a test that was not done is worth to one athlete: the expected value of information."""
