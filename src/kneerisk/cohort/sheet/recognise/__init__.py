"""A sheet that nobody has described: what its columns mean, and its rows as screenings."""

from kneerisk.cohort.sheet.recognise.answering import recognise
from kneerisk.cohort.sheet.recognise.asked import AskRefused
from kneerisk.cohort.sheet.recognise.contract import SheetAnswer, SheetAsked

__all__ = ["AskRefused", "SheetAnswer", "SheetAsked", "recognise"]
