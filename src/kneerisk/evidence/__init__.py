"""Cited numbers: effects, base rates, correlations, imbalances, red flags and advice."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from kneerisk.evidence.advice_tables import (
    Advice,
    Condition,
    Exercise,
    RedFlag,
    StopRule,
    UrgencyLevel,
)
from kneerisk.evidence.table_models import (
    Assumption,
    BaseRate,
    Battery,
    Effect,
    EffectSize,
    Grade,
    Imbalance,
    ImbalanceDefinition,
    Range,
    ReverseCausation,
    ScreeningTest,
    Sport,
    Status,
    Urgency,
)
from kneerisk.evidence.table_reader import (
    Reference,
    count_assumptions,
    measure_names,
    parse_table,
    read_table,
    references,
)
from kneerisk.schema import Measure, athlete_measures, leg_measures
from kneerisk.schema.measure import ASSUMPTION, Equipment
from kneerisk.schema.own_measures import own_measures_in_force, per_schema

#: Of a test of a club's own that does not say how long it takes (assumption).
OWN_MINUTES = 5.0

__all__ = [
    "Advice",
    "BaseRate",
    "Battery",
    "Condition",
    "Effect",
    "EffectSize",
    "Exercise",
    "Grade",
    "Imbalance",
    "ImbalanceDefinition",
    "Range",
    "RedFlag",
    "Reference",
    "ReverseCausation",
    "ScreeningTest",
    "Sport",
    "Status",
    "StopRule",
    "Urgency",
    "UrgencyLevel",
    "advice",
    "assumption",
    "base_rates",
    "conditions",
    "count_assumptions",
    "effect_sizes",
    "effects",
    "equipment_of_test",
    "exercises",
    "exercises_by_advice",
    "imbalances",
    "measure_names",
    "measures_of_test",
    "parse_table",
    "rates_by_definition",
    "read_table",
    "red_flags",
    "references",
    "reverse_causation",
    "screening_tests",
    "sport_base_rates",
    "sports_without_own_rate",
    "stop_rules",
    "urgencies",
]


@cache
def effects() -> dict[str, Effect]:
    """What raises or lowers the risk of knee pain, by factor; null effects are included."""
    return {effect.factor: effect for effect in read_table("effects", Effect)}


@cache
def effect_sizes() -> dict[EffectSize, int]:
    """How many effects have a size printed in a study, one judged from studies, or none."""
    counts: dict[EffectSize, int] = {"published": 0, "judged": 0, "null": 0}
    for effect in effects().values():
        counts[effect.size_from] += 1
    return counts


def base_rates() -> tuple[BaseRate, ...]:
    """How often knees hurt, by population."""
    return read_table("base_rates", BaseRate)


@cache
def sport_base_rates() -> dict[str, Range]:
    """Risk of new pain in either knee within 12 months by our definition, by sport."""
    return _rates_by_sport("risk_12_months_either_knee")


@cache
def sports_without_own_rate() -> frozenset[str]:
    """The sports of which no study tells how often knee pain is new: theirs is the others' mean."""
    return frozenset(
        rate.sport for rate in base_rates() if rate.sport and "assumption" in rate.sources
    )


@cache
def rates_by_definition() -> dict[str, Range]:
    """The same over all definitions of knee pain: low and high are a 90 % range, by sport."""
    return _rates_by_sport("risk_12_months_by_definition")


def _rates_by_sport(quantity: str) -> dict[str, Range]:
    return {
        rate.sport: Range(low=rate.low, central=rate.central, high=rate.high)
        for rate in base_rates()
        if rate.quantity == quantity
        and not (rate.low is None or rate.central is None or rate.high is None)
    }


@cache
def imbalances() -> dict[str, ImbalanceDefinition]:
    """The five imbalances by name, in the order of a model's answers."""
    return {row.name: row for row in read_table("imbalances", ImbalanceDefinition)}


@cache
def red_flags() -> dict[str, RedFlag]:
    """The red flags, by the code that a screening names them with."""
    return {flag.code: flag for flag in read_table("red_flags", RedFlag)}


def advice() -> tuple[Advice, ...]:
    """What to do, in the order to show it."""
    return read_table("advice", Advice)


@cache
def exercises() -> dict[str, Exercise]:
    """What athletes can do, by name."""
    return {row.exercise: row for row in read_table("exercises", Exercise)}


@cache
def exercises_by_advice() -> dict[str, Exercise]:
    """The exercise that carries out a piece of advice, by the advice's code."""
    return {code: row for row in exercises().values() for code in row.advice}


@cache
def urgencies() -> dict[Urgency, UrgencyLevel]:
    """How soon a red flag is to be seen, the most pressing first."""
    return {level.urgency: level for level in read_table("urgencies", UrgencyLevel)}


@cache
def stop_rules() -> dict[str, StopRule]:
    """When to stop and see a clinician, by the code that advice names."""
    return {rule.code: rule for rule in read_table("stop_rules", StopRule)}


@cache
def conditions() -> dict[str, Condition]:
    """What advice and grades may depend on, by name."""
    return {row.condition: row for row in read_table("conditions", Condition)}


@cache
def reverse_causation() -> dict[str, ReverseCausation]:
    """What present pain does to the measures of the leg that hurts, by measure."""
    return {row.measure: row for row in read_table("reverse_causation", ReverseCausation)}


@cache
def _assumptions() -> dict[str, Assumption]:
    return {row.name: row for row in read_table("assumptions", Assumption)}


def assumption(name: str) -> float:
    """The central value of a number that no source gives."""
    return _assumptions()[name].central


@per_schema
def screening_tests() -> dict[str, ScreeningTest]:
    """Every test and question that a screening may still do, by name; a club's own last."""
    tests = {row.test: row for row in read_table("tests", ScreeningTest)}
    own: dict[str, list[str]] = {}
    for name, measure in own_measures_in_force().measures.items():
        own.setdefault(measure.test, []).append(name)
    return tests | {test: _own_test(test, own[test]) for test in own if test not in tests}


def _own_test(test: str, names: Sequence[str]) -> ScreeningTest:
    """A test of a club's own: that of one measure has its label, another the name it was given."""
    own = own_measures_in_force()
    minutes = max(float(own.declared[name].get("minutes", OWN_MINUTES)) for name in names)
    label = own.measures[names[0]].label if len(names) == 1 else test
    row = {"test": test, "label": label, "minutes": minutes, "measures": "",
           "sources": ASSUMPTION, "assumption": "yes"}  # fmt: skip
    return ScreeningTest.model_validate(row)


@per_schema
def measures_of_test(test: str) -> dict[str, Measure]:
    """The measures that a model may learn from a test or a question, without their side."""
    measures = athlete_measures() | leg_measures()
    question = screening_tests()[test].measures
    if question:
        return {name: measures[name] for name in question}
    return {name: m for name, m in measures.items() if m.test == test and m.model_input}


@per_schema
def equipment_of_test(test: str) -> Equipment:
    """What a test needs; the measures of one test need the same, or nothing."""
    needed: set[Equipment] = {m.equipment for m in measures_of_test(test).values()}
    return next(iter(needed - {"none"}), "none")
