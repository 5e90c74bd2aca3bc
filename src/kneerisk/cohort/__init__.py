"""Screenings with outcomes: where they come from, and the one file form that holds them."""

from kneerisk.cohort.files import Cohort, Outcomes, check, read, write
from kneerisk.cohort.screenings import Screenings, read_screenings, screenings_of

__all__ = [
    "Cohort",
    "Outcomes",
    "Screenings",
    "check",
    "read",
    "read_screenings",
    "screenings_of",
    "write",
]
