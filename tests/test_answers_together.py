"""Answers of one moment are made together, and each is what it would be alone."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

import pytest

from kneerisk.answer import answer, answers
from kneerisk.answer.answer_schema import Answer
from kneerisk.model import Bundle
from kneerisk.schema import Screening
from serving import answers_together
from serving.answers_together import MOST_TOGETHER, AnswersTogether
from serving.capacity import SHORT_ANSWERS

PARTS = frozenset({"risk", "likely", "next_tests"})


def screening(age_years: int, **parts: Any) -> Screening:
    athlete = {"age_years": age_years, "sex": "female", "sport": "running"}
    return Screening.model_validate({"athlete": athlete} | parts)


SCREENINGS = [screening(20 + i, left={"hip_drop_deg": 5 + i}) for i in range(6)]
FAULTY = screening(99)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many answers were made in each go; one of the oldest athlete is a bug."""
    sizes = []

    def counted(bundle: Bundle, asked: Sequence[Screening], parts: Collection[str]) -> list[Answer]:
        sizes.append(len(asked))
        if FAULTY in asked:
            raise ZeroDivisionError
        return answers(bundle, asked, parts)

    monkeypatch.setattr(answers_together, "answers", counted)
    # A worker has one event loop, a test has its own.
    monkeypatch.setattr(SHORT_ANSWERS, "queue", asyncio.Lock())
    return sizes


def asked_at_once(
    bundle: Bundle, asked: Sequence[tuple[Screening, frozenset[str]]], leaving: Collection[int] = ()
) -> list[Answer | BaseException]:
    """The answers to several requests of one moment, some of whose clients leave at once."""

    async def ask() -> list[Answer | BaseException]:
        together = AnswersTogether()
        tasks = [asyncio.create_task(together.answer(bundle, *one)) for one in asked]
        await asyncio.sleep(0)
        for place in leaving:
            tasks[place].cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert not together._waiting
        return found

    return asyncio.run(ask())


def test_the_answers_of_a_moment_are_made_together(released: Bundle, made: list[int]) -> None:
    found = asked_at_once(released, [(one, PARTS) for one in SCREENINGS])
    assert found == [answer(released, one, PARTS) for one in SCREENINGS]
    assert made == [MOST_TOGETHER, len(SCREENINGS) - MOST_TOGETHER]


def test_what_asks_for_other_parts_is_made_by_itself(released: Bundle, made: list[int]) -> None:
    parts = [PARTS, frozenset({"risk"}), PARTS]
    asked = list(zip(SCREENINGS, parts, strict=False))
    assert asked_at_once(released, asked) == [answer(released, *one) for one in asked]
    assert made == [2, 1]


def test_a_fault_is_of_its_own_request(released: Bundle, made: list[int]) -> None:
    asked = [SCREENINGS[0], FAULTY, SCREENINGS[1]]
    first, fault, last = asked_at_once(released, [(one, PARTS) for one in asked])
    assert first == answer(released, SCREENINGS[0], PARTS)
    assert isinstance(fault, ZeroDivisionError)
    assert last == answer(released, SCREENINGS[1], PARTS)


@pytest.mark.parametrize("leaving", [0, 1, 2])
def test_a_client_that_left_holds_nobody_up(
    released: Bundle, made: list[int], leaving: int
) -> None:
    found = asked_at_once(released, [(one, PARTS) for one in SCREENINGS[:3]], leaving=[leaving])
    assert isinstance(found[leaving], asyncio.CancelledError)
    stayed = [place for place in range(3) if place != leaving]
    assert [found[place] for place in stayed] == [
        answer(released, SCREENINGS[place], PARTS) for place in stayed
    ]
    # The first was to make all; the others' answers were being made already.
    assert sum(made) == (2 if leaving == 0 else 3)
