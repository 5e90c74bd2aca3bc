import csv
import re
from importlib.resources import files
from typing import Literal

import numpy as np
import pytest

from kneerisk import evidence
from kneerisk.errors import BadCells, KneeriskError
from kneerisk.evidence import parse_table, rates_by_definition, sport_base_rates
from kneerisk.evidence.session_hazard import hazard_ratio, session_hazards
from kneerisk.evidence.table_reader import MeasureName, Sources, TableRow, YesOrNo
from kneerisk.schema import columns
from kneerisk.schema.athlete import SPORTS
from kneerisk.schema.sections import RED_FLAGS

IMBALANCES = [
    "hamstring_dominance",
    "vmo_inhibition",
    "calf_tightness",
    "adductor_underactivity",
    "glute_underactivity",
]
NULLS = {
    "hamstring_quad_ratio", "hip_abduction_strength", "adductor_ratio", "acwr", "weekly_run_km",
    "sitting", "step_rate", "foot_progression", "heel_rise", "lateral_pelvic_tilt",
    "squat_1rm_change",
}  # fmt: skip
TABLES = {
    "effects": evidence.effects().values(),
    "base_rates": evidence.base_rates(),
    "imbalances": evidence.imbalances().values(),
    "red_flags": evidence.red_flags().values(),
    "advice": evidence.advice(),
    "exercises": evidence.exercises().values(),
    "reverse_causation": evidence.reverse_causation().values(),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_row_without_a_study_is_an_assumption(name):
    for row in TABLES[name]:
        assert row.sources
        if set(row.sources) <= {"assumption"}:
            assert row.assumption


@pytest.mark.parametrize("name", ["effects", "base_rates"])
def test_ranges_are_in_order(name):
    for row in TABLES[name]:
        given = [value for value in (row.low, row.central, row.high) if value is not None]
        assert given == sorted(given)
        assert given


def test_keys_are_told_apart():
    for name, row, key in (
        ("effects", evidence.Effect, "factor"),
        ("references", evidence.Reference, "key"),
        ("red_flags", evidence.RedFlag, "code"),
        ("advice", evidence.Advice, "code"),
        ("exercises", evidence.Exercise, "exercise"),
        ("reverse_causation", evidence.ReverseCausation, "measure"),
    ):
        keys = [getattr(line, key) for line in evidence.read_table(name, row)]
        assert len(keys) == len(set(keys)), name


def test_nulls_are_in_it_as_nulls():
    nulls = {factor for factor, effect in evidence.effects().items() if effect.status == "null"}
    assert nulls == NULLS
    for effect in evidence.effects().values():
        is_zero = (effect.low, effect.central, effect.high) == (0, 0, 0)
        assert is_zero == (effect.status == "null")


class TestSessions:
    """The rate in one session is no risk of a year: it stands by itself, and never falls."""

    def test_the_bands_are_the_published_ratios(self):
        bands = [(band.low, band.central, band.high) for band in session_hazards()]
        assert bands == [(1.31, 1.64, 2.05), (1.16, 1.52, 2.00), (1.50, 2.28, 3.48)]

    def test_none_of_it_is_in_the_risk(self):
        assert not any("spike" in factor for factor in evidence.effects())
        assert not columns()["session_spike_ratio"].model_input

    def test_the_first_two_bands_are_pooled(self):
        """Weights by the intervals' widths: 1.59 (1.34 to 1.89), worked out by hand."""
        pooled = hazard_ratio(1.4)
        assert tuple(pooled) == pytest.approx((1.338, 1.591, 1.891), abs=0.002)
        assert tuple(hazard_ratio(3.0)) == pytest.approx((1.50, 2.28, 3.48), abs=0.01)

    def test_it_never_falls_and_has_no_jump(self):
        ratios = np.arange(0.5, 3.0, 0.01)
        rates = np.array([tuple(hazard_ratio(ratio)) for ratio in ratios])
        steps = np.diff(np.log(rates), axis=0)
        assert steps.min() >= -1e-12
        assert steps.max() < 0.05
        assert (rates[ratios <= 1.0] == 1.0).all()


def test_an_effects_measure_and_contrast_agree():
    directions = {"per_sd_lower": "lowers", "per_sd_higher": "raises"}
    for effect in evidence.effects().values():
        if effect.status == "null" or effect.contrast not in directions or effect.central < 0:
            continue
        measure = next(
            declared
            for name, declared in columns().items()
            if name in {effect.measure, f"left_{effect.measure}"}
        )
        stated = getattr(measure, "direction", None)
        assert stated in {None, directions[effect.contrast]}, effect.factor


def test_every_sport_has_a_base_rate():
    rates = sport_base_rates()
    assert set(rates) == set(SPORTS)
    for rate in rates.values():
        assert 0 < rate.low < rate.central < rate.high < 0.3
    for sport, rate in rates_by_definition().items():
        ours = rates[sport]
        assert rate.low < ours.low < rate.central == ours.central < ours.high < rate.high


def test_sizes_say_where_they_come_from():
    sizes = {factor: effect.size_from for factor, effect in evidence.effects().items()}
    assert {factor for factor, size in sizes.items() if size == "null"} == NULLS
    # None of the studies measured our outcome, so that no size is a printed one.
    assert set(sizes.values()) == {"judged", "null"}


def test_every_table_names_known_sources():
    for table in files("kneerisk.evidence").iterdir():
        if not table.name.endswith(".csv"):
            continue
        for row in csv.DictReader(table.read_text("utf-8").splitlines(), strict=True):
            assert set(row.get("sources", "").split()) <= set(evidence.references()), table.name
            assert row.get("assumption", "no") in {"yes", "no"}, table.name


def test_imbalances_are_the_five_and_each_has_advice():
    assert list(evidence.imbalances()) == IMBALANCES
    assert {piece.imbalance for piece in evidence.advice()} == {*IMBALANCES, "load", "everyone"}


def test_the_articles_advice_is_there():
    codes = {piece.code for piece in evidence.advice() if "popular_article" in piece.sources}
    assert codes >= {
        "back_off_heavy_sets", "calf_mobility", "reactivate_glute_medius",
        "strengthen_glute_max", "foam_roll",
    }  # fmt: skip


def test_the_article_is_where_an_idea_comes_from_and_stands_last():
    for piece in evidence.advice():
        assert "popular_article" not in piece.sources[:-1], piece.code
        assert len(piece.sources) > 1 or "popular_article" not in piece.sources, piece.code


def test_studies_behind_advice_are_linked():
    references = evidence.references()
    linked = re.compile(
        r"https://(doi\.org/10\.\d{4,9}/[^\s()]+|(pmc|pubmed)\.ncbi\.nlm\.nih\.gov/\S+/)"
    )
    assert all(linked.fullmatch(one.url) for one in references.values() if one.url)
    for piece in evidence.advice():
        studies = set(piece.sources) - {"assumption", "popular_article"}
        assert all(references[key].url for key in studies), piece.code


@pytest.mark.parametrize("word", ["diagnos", "caused by", "causes"])
def test_nothing_claims_a_diagnosis(word):
    texts = [piece.text for piece in evidence.advice()]
    texts += [imbalance.wording for imbalance in evidence.imbalances().values()]
    assert not [text for text in texts if word in text.lower()]


def test_red_flags_are_those_of_the_schema():
    assert tuple(evidence.red_flags()) == RED_FLAGS
    ottawa = {flag.code for flag in evidence.red_flags().values() if flag.needs_acute_injury}
    assert ottawa == {
        "isolated_patella_tenderness", "fibular_head_tenderness", "cannot_flex_to_90",
        "cannot_bear_weight_4_steps",
    }  # fmt: skip
    assert all(flag.question.endswith("?") for flag in evidence.red_flags().values())


def test_present_pain_weakens():
    for shift in evidence.reverse_causation().values():
        assert shift.shift_sd_low <= shift.shift_sd_central <= shift.shift_sd_high <= 0
    assert evidence.reverse_causation()["hip_abduction_pct_bw"].shift_sd_central == -0.4


# The reader


class Row(TableRow):
    measure: MeasureName
    size: float
    count: int
    sure: YesOrNo
    kind: Literal["a", "b"]
    sources: Sources
    note: str = ""
    extra: float | None = None


HEADER = "measure,size,count,sure,kind,sources,note,extra"
GOOD = "hip_drop_deg,0.5,2,yes,a,neal_2019 bramah_2018,,"


def test_cells_are_read_by_their_annotation():
    [row] = parse_table("t.csv", f"{HEADER}\n{GOOD}\n", Row)
    assert row.model_dump() == {
        "measure": "hip_drop_deg", "size": 0.5, "count": 2, "sure": True, "kind": "a",
        "sources": ("neal_2019", "bramah_2018"), "note": "", "extra": None,
    }  # fmt: skip
    [row] = parse_table("t.csv", f"{HEADER}\nsex,1,0,no,b,assumption,words,2.5\n", Row)
    assert (row.sure, row.note, row.extra, type(row.size)) == (False, "words", 2.5, float)


def test_every_bad_cell_is_named():
    bad = "hip_dorp_deg,nan,2.5,maybe,c,neal_2091,,x"
    with pytest.raises(BadCells) as refused:
        parse_table("t.csv", f"{HEADER}\n{GOOD}\n{bad}\n,,1,yes,a,,,\nhip_drop_deg,1\n", Row)
    allowed = {(fault.line, fault.column): fault.allowed for fault in refused.value.faults}
    assert allowed == {
        (3, "measure"): "a measure of the schema",
        (3, "size"): "a finite number",
        (3, "count"): "a whole number",
        (3, "sure"): "yes or no",
        (3, "kind"): "one of 'a' or 'b'",
        (3, "sources"): "keys of references.csv, separated by spaces",
        (3, "extra"): "a finite number",
        (4, "measure"): "not empty", (4, "size"): "not empty", (4, "sources"): "not empty",
        (5, ""): "8 cells",
    }  # fmt: skip
    assert "t.csv has 11 bad cell(s)" in str(refused.value)
    assert isinstance(refused.value, KneeriskError)


@pytest.mark.parametrize("header", ["", "size,measure", HEADER + ",more", HEADER[1:]])
def test_a_wrong_header_is_refused(header):
    with pytest.raises(BadCells) as refused:
        parse_table("t.csv", f"{header}\n{GOOD}\n", Row)
    [fault] = refused.value.faults
    assert fault.line == 1


def test_a_leg_measure_has_no_side_in_a_table():
    with pytest.raises(BadCells):
        parse_table("t.csv", f"{HEADER}\nleft_{GOOD}\n", Row)
