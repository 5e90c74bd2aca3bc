"""Answers of one worker that are made together: those that were asked for while one was made.

The model works in columns, so that four answers take little more than two by themselves, and an
answer has the same bits in any company. Nobody waits for company: what is there when a turn of the
event loop comes is answered in it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from kneerisk.answer import answers
from kneerisk.answer.answer_schema import Answer
from kneerisk.model.bundle import Bundle
from kneerisk.schema import Screening
from serving.capacity import short_answer

#: So many are made in a turn, in some 15 ms; each further one saves less (assumption).
MOST_TOGETHER = 4


@dataclass(slots=True, eq=False)
class _Asked:
    """A screening whose answer is wanted, and the answer once it is made."""

    bundle: Bundle
    screening: Screening
    parts: frozenset[str]
    answer: Answer | None = None

    def is_answered(self) -> bool:
        return self.answer is not None

    def goes_with(self, other: _Asked) -> bool:
        """Whether both ask the same model for the same parts."""
        return self.bundle is other.bundle and self.parts == other.parts


@dataclass(slots=True)
class AnswersTogether:
    """The answers that a worker was asked for and has not made yet."""

    _waiting: list[_Asked] = field(default_factory=list)

    async def answer(self, bundle: Bundle, screening: Screening, parts: Collection[str]) -> Answer:
        """The answer to one screening.

        Parameters
        ----------
        bundle
            The champion.
        screening
            The screening.
        parts
            The names of the parts of the answer that are wanted.

        Returns
        -------
        Answer
            As `kneerisk.answer.answer` gives it.
        """
        own = _Asked(bundle, screening, frozenset(parts))
        self._waiting.append(own)
        try:
            async with short_answer(own.is_answered):
                return own.answer or self._make(own)
        finally:
            # Of a client that has left.
            if own in self._waiting:
                self._waiting.remove(own)

    def _make(self, own: _Asked) -> Answer:
        """Make an answer, and those that go with it."""
        others = [one for one in self._waiting if one is not own and one.goes_with(own)]
        together = [own, *others[: MOST_TOGETHER - 1]]
        try:
            made = _answers(together)
        except Exception:
            if len(together) == 1:
                raise
            # Whose fault it is shows where each is made by itself.
            together = [own]
            made = _answers(together)
        for one, answer in zip(together, made, strict=True):
            one.answer = answer
            self._waiting.remove(one)
        return made[0]


def _answers(asked: list[_Asked]) -> list[Answer]:
    return answers(asked[0].bundle, [one.screening for one in asked], asked[0].parts)
