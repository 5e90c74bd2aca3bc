"""The answer as a page to print: HTML of one A4 page, or Markdown, in plain words."""

from kneerisk.answer.report.render import report_html, report_markdown, style

__all__ = ["report_html", "report_markdown", "style"]
