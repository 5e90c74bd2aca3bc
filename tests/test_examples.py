"""The example answers in the documents are what the default model says."""

from __future__ import annotations

import json

import pytest

from kneerisk.answer import answer
from kneerisk.evidence import imbalances
from kneerisk.model import Bundle
from kneerisk.schema import Screening
from pipelines import examples


@pytest.mark.slow
class TestDefaultModel:
    def test_the_files_are_what_it_says(self, default_bundle: Bundle) -> None:
        assert examples.stale(examples.written(default_bundle), examples.FOLDER) == []

    def test_each_imbalance_has_a_case_that_names_it_first(self, default_bundle: Bundle) -> None:
        named = set()
        for case in examples.cases():
            likely = answer(default_bundle, Screening.model_validate(case.body)).likely or []
            if case.name.replace("-", "_") in {one.name for one in likely}:
                named.add(case.name.replace("-", "_"))
        assert named == set(imbalances())

    def test_the_others_are_what_they_are_there_for(self, default_bundle: Bundle) -> None:
        told = {
            case.name: answer(default_bundle, Screening.model_validate(case.body))
            for case in examples.cases()
        }
        assert told["red-flag"].risk.status == "refer"
        assert [one.name for one in told["symmetric"].likely or ()] == ["none", "none"]
        assert not any(one.beyond_error for one in told["symmetric"].side_differences)
        assert told["three-tests"].risk.status == "low_information"
        assert told["three-tests"].red_flags_status == "not_asked"
        assert told["glute-underactivity"].risk.status == "current_pain"
        assert [flag.urgency for flag in told["weightlifter-60"].red_flags] == ["routine"]


class TestStale:
    """What counts as another text."""

    @pytest.mark.parametrize(
        ("one", "other"),
        [("13 in 100", "14 in 100"), ("+3.1 points", "+3.0 points"), ("0.0", "\N{MINUS SIGN}0.1"),
         ("2.50 Nm/kg", "2.51 Nm/kg"), ("no number", "no number")],
    )  # fmt: skip
    def test_one_in_the_last_digit_is_no_difference(self, one: str, other: str) -> None:
        assert examples.same(one, other)
        assert examples.same(other, one)

    @pytest.mark.parametrize(
        ("one", "other"),
        [("13 in 100", "15 in 100"), ("+3.1", "+3.3"), ("+3.1", "\N{MINUS SIGN}3.1"),
         ("2.50", "2.5"), ("13 in 100 runners", "13 in 100 players"), ("13, 14", "13"),
         ("raised", "typical")],
    )  # fmt: skip
    def test_more_is(self, one: str, other: str) -> None:
        assert not examples.same(one, other)

    def test_missing_changed_and_unknown_files_are_named(self, tmp_path) -> None:
        texts = {"a.md": "13 in 100", "b.md": "as it was", "c.md": "new"}
        (tmp_path / "a.md").write_text("14 in 100")
        (tmp_path / "b.md").write_text("as it is")
        (tmp_path / "z.md").write_text("left over")
        assert examples.stale(texts, tmp_path) == ["z.md", "b.md", "c.md"]

    def test_a_request_has_to_agree_to_the_last_digit(self, tmp_path) -> None:
        (tmp_path / "a.md").write_text("5\n```json\n5\n```\n")
        assert examples.stale({"a.md": "6\n```json\n5\n```\n"}, tmp_path) == []
        assert examples.stale({"a.md": "5\n```json\n6\n```\n"}, tmp_path) == ["a.md"]


def test_the_request_that_is_shown_is_the_one_that_was_answered() -> None:
    for case in examples.cases():
        assert json.loads(examples.body(case)) == case.body
