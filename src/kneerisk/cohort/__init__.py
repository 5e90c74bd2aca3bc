"""Screenings with outcomes: where they come from, and the one file form that holds them."""

from kneerisk.cohort.files import Cohort, Outcomes, check, read, read_screenings, write

__all__ = ["Cohort", "Outcomes", "check", "read", "read_screenings", "write"]
