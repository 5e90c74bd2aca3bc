"""The answer to a team: one result for each screening."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from kneerisk.answer import Answer
from kneerisk.messages.problem_document import Problem


class Result(BaseModel):
    """What became of one screening: an answer or a problem, never both."""

    model_config = ConfigDict(frozen=True)

    index: int
    answer: Answer | None = None
    problem: Problem | None = None


class TeamAnswer(BaseModel):
    """One result for each screening, in the order they were sent."""

    model_config = ConfigDict(frozen=True)

    results: list[Result]
