"""Files of screenings are scored as columns: the same numbers as answers, row by row."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st

from kneerisk.answer.compose_answer import scores
from kneerisk.answer.score_columns import score_columns
from kneerisk.model import Bundle
from kneerisk.model.base_rates import Count
from kneerisk.schema import Screening, coded, coded_rows
from kneerisk.schema.rules import contradictions, may_contradict
from pipelines.score import flat

#: What every row keeps.
BASIC = ("age_years", "sex")


def flags(screening: Screening) -> str | None:
    """A screening's red flags as a file has them."""
    codes = screening.red_flags
    return None if codes is None else ";".join(codes) or "none"


def columns_of(bundle: Bundle, screenings: list[Screening]) -> pd.DataFrame:
    asked = np.array([flags(screening) for screening in screenings], dtype=object)
    return pd.DataFrame(score_columns(bundle, coded(screenings), asked))


def assert_same(found: pd.DataFrame, told: list[dict[str, Any]]) -> None:
    wanted = pd.DataFrame(told, columns=list(told[0]))
    assert list(found) == list(wanted)
    for name in wanted:
        same = (found[name] == wanted[name]) | (found[name].isna() & wanted[name].isna())
        assert same.all(), name


@pytest.fixture(scope="module")
def bundles(released: Bundle) -> list[Bundle]:
    """A released model and other kinds: with a club's count, of outcomes alone, without sides."""
    model = released.model
    of_outcomes = dataclasses.replace(model, base_rates=None, imbalance=None)
    models = [
        model,
        model.counting(Count(9.0, 60.0)),
        of_outcomes,
        dataclasses.replace(of_outcomes, odds_ratio=None),
    ]
    return [dataclasses.replace(released, model=one) for one in models]


@settings(max_examples=8)
@given(screenings=st.lists(strategies.screenings(), min_size=1, max_size=6))
def test_columns_are_those_of_answers(bundles: list[Bundle], screenings: list[Screening]) -> None:
    for bundle in bundles:
        told = [flat(one) for one in scores(bundle, screenings)]
        assert_same(columns_of(bundle, screenings), told)


@settings(max_examples=8)
@given(
    screenings=st.lists(strategies.screenings(), min_size=2, max_size=6), first=st.integers(0, 5)
)
def test_a_row_has_the_same_digits_in_any_company(
    released: Bundle, screenings: list[Screening], first: int
) -> None:
    together = columns_of(released, screenings)
    first, count = first % len(screenings), 1
    some = columns_of(released, screenings[first : first + count])
    assert_same(some, together.iloc[first : first + count].to_dict("records"))


@settings(max_examples=30)
@given(rows=st.lists(strategies.rows(), min_size=1, max_size=6), chance=st.integers(0, 99))
def test_columns_are_suspected_where_a_rule_is_broken(
    rows: list[dict[str, Any]], chance: int
) -> None:
    """Rows that keep every rule, and the same with values dropped and moved so that some break."""
    rng = np.random.default_rng(chance)
    for row in rows:
        for name in rng.permutation([name for name in row if name not in BASIC])[:3].tolist():
            del row[name]
        for name in [name for name in row if name.endswith(("_ratio", "_tilt_deg", "_cm"))]:
            row[name] *= float(rng.choice([1.0, 1.2]))
    broken = [bool(list(contradictions(row))) for row in rows]
    assert may_contradict(coded_rows(rows)).tolist() == broken
