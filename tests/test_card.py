"""The card of a version: whole, true to its metadata, and readable as Markdown."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.cohort.splits import held_out, train_test_split
from kneerisk.evaluation.driver_ranking import drivers
from kneerisk.evaluation.evaluation import evaluate
from kneerisk.evaluation.task_rows import risks_of
from kneerisk.evidence import effects
from kneerisk.training.card.model_card import NOTICE, model_card
from kneerisk.training.card.tripod import ITEMS
from kneerisk.training.fitting.fitted_metadata import metadata_of
from kneerisk.training.tracking.run import shorten

KINDS = ("simulated", "observed", "adapted")


@pytest.fixture(scope="module")
def made(released, fitted):
    """Of each kind: the metadata, the cohort and the evaluation of a version."""
    drawn = simulate(3_500, 9)
    unseen = held_out(drawn.cohort.frame["athlete_id"])
    train, test = train_test_split(drawn.cohort)
    data = test.columns()
    prediction = released.model.predict(data)
    truth = drawn.truth[unseen].reset_index(drop=True)
    found = {}
    for kind in KINDS:
        known = truth if kind == "simulated" else None
        judged = evaluate(
            test, risks_of(prediction), {"as_is": risks_of(prediction)}, known,
            prediction.imbalances,
        )  # fmt: skip
        judged = replace(judged, drivers=drivers(released.model, data, judged.task_rows))
        metadata = metadata_of(
            train, None, fitted, version="kneerisk-new_pain-12m-v7", run_id="0" * 32,
            git_sha=None, data_sha256="ab" * 32,
        )  # fmt: skip
        base = {"base_version": "v1", "base_sha256": "cd"} if kind == "adapted" else {}
        cohort = replace(drawn.cohort, kind=kind, source="a made-up club")
        found[kind] = replace(metadata, cohort=kind, **base), cohort, judged
    return found


@pytest.fixture(scope="module", params=KINDS)
def text(request, made) -> str:
    return model_card(*made[request.param], ["roc", "slices"])


def section(text: str, title: str) -> str:
    return re.split(r"^## ", text.split(f"\n## {title}\n")[1], flags=re.MULTILINE)[0]


def test_every_item_of_tripod_ai_is_answered_once(text):
    rows = re.findall(
        r"^\| (\d+[a-g]?) \| (.+?) \| (.+?) \|$", section(text, "TRIPOD+AI"), re.MULTILINE
    )
    assert [item for item, _, _ in rows] == list(ITEMS)
    assert len(rows) == 52
    assert len({item.rstrip("abcdefg") for item, _, _ in rows}) == 27
    assert all(len(answer) > 3 for _, _, answer in rows)


def test_sections_that_items_point_at_are_there(text):
    for title in set(re.findall(r"\*([A-Z][^*|]+)\*", section(text, "TRIPOD+AI"))):
        assert re.search(rf"^## {re.escape(title)}", text, re.MULTILINE), title


def test_every_table_has_as_many_cells_in_each_row(text):
    for block in re.findall(r"(?:^\|.*\|$\n?)+", text, re.MULTILINE):
        lines = block.strip().splitlines()
        assert len({line.count("|") for line in lines}) == 1, lines[0]


def test_it_says_first_what_it_is_not_and_names_the_worst_part(text, made):
    assert text.splitlines()[2] == f"**{NOTICE}**"
    worst = made["simulated"][2].worst_slice
    assert f"**{worst.by}: {worst.name.replace('_', ' ')}**" in text
    for part in ("| sex | female |", "| sex | male |", "| age | 18 to 29 |"):
        assert part in section(text, "Where it works less well")
    assert "Riley's criteria" in section(text, "How it was made")


def test_pictures_are_beside_it_and_left_out_of_a_note(text):
    assert re.findall(r"^!\[[^\]]+\]\((.+)\)$", text, re.MULTILINE) == [
        "plots/roc.png",
        "plots/slices.png",
    ]
    note = shorten(text, 10**6)
    assert "![" not in note
    assert "\n\n\n" not in note


def test_assumptions_are_counted_in_the_tables(made):
    told = section(model_card(*made["simulated"]), "Assumptions")
    assert re.search(r"links between imbalances and measures: \d+ of \d+", told)
    assert "batteries" in told
    assert "never been measured" in told


def test_effects_are_counted_in_the_tables(made):
    sizes = [effect.size_from for effect in effects().values()]
    counts = {size: sizes.count(size) for size in ("published", "judged", "null")}
    said = (
        f"{counts['published']} with the size that a study printed, {counts['judged']} with one "
        f"judged from studies, {counts['null']} null"
    )
    texts = {kind: model_card(*made[kind]) for kind in KINDS}
    assert f"Effects on the risk, {len(sizes)}: {said}." in section(texts["simulated"], "In short")
    assert f"Effects on the risk of the base model, {len(sizes)}: {said}." in texts["adapted"]
    assert "Effects on the risk" not in texts["observed"]
    for text in texts.values():
        assert said in section(text, "TRIPOD+AI")
        assert "published effect" not in text


def test_kinds_are_not_mixed_up(made):
    texts = {kind: model_card(*made[kind]) for kind in KINDS}
    assert "Nobody was measured" in texts["simulated"]
    assert "Nobody was measured" not in texts["observed"]
    assert "No external validation" in texts["observed"]
    assert "| Corrects | v1, bundle sha256 `cd` |" in texts["adapted"]
    assert "its log-odds corrected with" in texts["adapted"]
    assert "true risk" not in section(texts["observed"], "How it was made")


def test_no_athlete_is_named(made):
    metadata, cohort, judged = made["observed"]
    frame = cohort.frame.assign(athlete_id=[f"secret{i}" for i in np.arange(len(cohort.frame))])
    assert "secret" not in model_card(metadata, replace(cohort, frame=frame), judged)


def test_a_study_s_own_log_loss_is_no_cross_validation_of_the_version(made):
    metadata, cohort, judged = made["simulated"]
    text = model_card(metadata, cohort, judged.with_metrics({"cv_log_loss": 0.25}))
    assert "Cross-validation by athlete" not in text
