"""What is measured: speed beside what a user would pick instead, and what the method is worth."""
