"""Where a model came from: the screenings, the commit, and the machine that fitted it."""
