"""What is told: the answer to a screening."""

from kneerisk.answer.compose import answer, answers
from kneerisk.answer.contract import Answer

__all__ = ["Answer", "answer", "answers"]
