"""The answer as a page to print: HTML of one A4 page, or Markdown, in plain words."""

from kneerisk.answer.report.render import content_policy, report_html, report_markdown

__all__ = ["content_policy", "report_html", "report_markdown"]
