"""What is refused before anything is learnt from it."""
