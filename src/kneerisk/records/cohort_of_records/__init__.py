"""A cohort to learn from, made of what a club's records say."""
