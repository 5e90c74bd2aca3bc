"""The answer to a screening: risk, imbalances, drivers, advice and the next test."""

from kneerisk.answer.answer_schema import Answer
from kneerisk.answer.compose_answer import PARTS, answer, answers

__all__ = ["PARTS", "Answer", "answer", "answers"]
