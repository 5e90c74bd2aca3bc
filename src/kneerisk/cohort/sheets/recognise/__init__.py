"""A sheet that nobody has described: what its columns mean, and its rows as screenings."""

from kneerisk.cohort.sheets.recognise.answering import recognise
from kneerisk.cohort.sheets.recognise.asked import AskRefused
from kneerisk.cohort.sheets.recognise.contract import SheetAnswer, SheetAsked

__all__ = ["AskRefused", "SheetAnswer", "SheetAsked", "recognise"]
