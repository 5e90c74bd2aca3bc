"""What a single cell shows: numbers, dates, units."""
