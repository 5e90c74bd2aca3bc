"""Outcomes as people log them: weekly questionnaires, case lists, daily reports, exposure."""
