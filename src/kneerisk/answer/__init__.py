"""What is told: the answer to a screening."""

from kneerisk.answer.answer_schema import Answer
from kneerisk.answer.compose import answer, answers

__all__ = ["Answer", "answer", "answers"]
