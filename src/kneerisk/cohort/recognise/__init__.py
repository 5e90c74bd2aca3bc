"""A sheet that nobody has described: what its columns mean, and its rows as screenings."""

from kneerisk.cohort.recognise.answering import recognise
from kneerisk.cohort.recognise.asked import AskRefused
from kneerisk.cohort.recognise.contract import SheetAnswer, SheetAsked

__all__ = ["AskRefused", "SheetAnswer", "SheetAsked", "recognise"]
