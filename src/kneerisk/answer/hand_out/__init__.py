"""The athlete's sheet: a plan on one page, in everyday words, with drawings."""

from kneerisk.answer.hand_out.hand_out import hand_out_html, style

__all__ = ["hand_out_html", "style"]
