"""A new version from start to end: a cohort is checked, learnt from, evaluated and logged."""
