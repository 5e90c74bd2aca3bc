"""Estimates from records of which a third is lost, against those of the same athletes in full.

`python -m benchmarks.censoring` draws outcomes for simulated athletes of one club, loses three in
ten of them, and lets the cohort of records be made from what is left. Three readings of it are
compared with the whole: as weighted, complete cases alone, and silence taken for no pain.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from benchmarks.censored_club import CensoredClub, Loss
from kneerisk.cohort import Cohort
from kneerisk.cohort.layout import OUTCOMES, WEIGHTS
from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.evaluation.metric_table import metric_named
from kneerisk.evaluation.task_rows import own_task
from kneerisk.records.cohort_of_records.record_cohort import cohort_of_visits
from kneerisk.training.fitting.fit import fit
from kneerisk.training.updating.club_likelihood import club_of
from kneerisk.training.updating.correction_fit import fit_intercept

RESULTS = Path(__file__).parent / "results"
Reading = Literal["weighted", "complete cases", "silence is no pain"]
LOSSES: tuple[Loss, ...] = ("given the inputs", "by the pain itself")
READINGS: tuple[Reading, ...] = ("weighted", "complete cases", "silence is no pain")
#: Athletes of the club, how often their outcomes are drawn, and athletes behind the champion.
ATHLETES, DRAWS, FITTED = 1_500, 20, 4_000
CLUB_SEED, CHAMPION_SEED = 31, 30
METRICS = ("calibration_intercept", "calibration_slope", "auc", "log_loss")
#: What is compared: its label, and digits.
COMPARED = {
    "share": ("knees with new pain, of 100", 2),
    "calibration_intercept": ("calibration in the large, log-odds", 3),
    "calibration_slope": ("calibration slope", 3),
    "auc": ("AUC", 4),
    "log_loss": ("log loss", 4),
    "adapted_level": ("level of the adapted model, log-odds", 3),
}


def estimates(club: CensoredClub, cohort: Cohort) -> dict[str, float]:
    """What a cohort says of the champion, and how far the champion moves to it.

    Parameters
    ----------
    club
        Whose athletes they are.
    cohort
        With outcomes, all of them or some.

    Returns
    -------
    dict
        By the names of `COMPARED`.
    """
    rows = own_task(cohort, club.risks)
    found = {"share": 100.0 * rows.mean(rows.outcome)}
    for name in METRICS:
        compute = metric_named(name).compute
        value = None if compute is None else compute(rows)
        found[name] = np.nan if value is None else value
    return found | {"adapted_level": fit_intercept(club_of(club.model, cohort)).intercept}


def read_as(reading: Reading, cohort: Cohort, whole: Cohort) -> Cohort:
    """The cohort of records, as it should be read or as it often is.

    Parameters
    ----------
    reading
        How.
    cohort
        Of the records.
    whole
        The same athletes, nobody lost.

    Returns
    -------
    Cohort
        With other outcomes or without weights.
    """
    if reading == "weighted":
        return cohort
    plain = cohort.frame.drop(columns=[*WEIGHTS])
    if reading == "silence is no pain":
        sides = {
            name: np.where(whole.frame[name].isna(), np.nan, plain[name].fillna(0.0))
            for name in OUTCOMES[:2]
        }
        plain = plain.drop(columns=[OUTCOMES[2]]).assign(**sides)
    return replace(cohort, frame=plain)


def one_draw(club: CensoredClub, loss: Loss, seed: int) -> dict[str, Any]:
    """How far each reading of the club's records is from the whole.

    Parameters
    ----------
    club
        The club.
    loss
        Why reports stop.
    seed
        Of outcomes and losses.

    Returns
    -------
    dict
        The estimates of the whole, and of each reading its difference from them.
    """
    rng = np.random.default_rng([seed, LOSSES.index(loss)])
    whole, onset = club.outcomes(rng)
    found = club.recorded(onset, club.last_weeks(loss, onset, rng))
    cohort, account = cohort_of_visits(found, club.minutes, ["club"])
    truth = estimates(club, whole)
    lost = account.legs["lost"]
    result: dict[str, Any] = {
        "whole": truth, "effective": account.effective, "known": account.known,
        "lost": lost / (account.known + lost), "largest_weight": account.largest_weight,
    }  # fmt: skip
    for reading in READINGS:
        own = estimates(club, read_as(reading, cohort, whole))
        result[reading] = {name: own[name] - truth[name] for name in COMPARED}
    return result


def summed_up(draws: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Means over draws, and the standard errors of the differences from the whole.

    Parameters
    ----------
    draws
        As of `one_draw`.

    Returns
    -------
    dict
        Plain data.
    """
    counts = ("lost", "known", "effective", "largest_weight")
    means: dict[str, Any] = {name: float(np.mean([d[name] for d in draws])) for name in counts}
    means["whole"] = {name: float(np.mean([d["whole"][name] for d in draws])) for name in COMPARED}
    for reading in READINGS:
        off = {name: np.array([draw[reading][name] for draw in draws]) for name in COMPARED}
        means[reading] = {
            name: {"off": float(v.mean()), "error": float(v.std(ddof=1) / np.sqrt(len(v)))}
            for name, v in off.items()
        }
    return means


def as_markdown(results: Mapping[str, Mapping[str, Any]]) -> str:
    """The page of the results, by why reports stop."""
    lines = [_HEAD.format(athletes=f"{ATHLETES:,}", draws=DRAWS)]
    for loss, found in results.items():
        worth = _WORTH.format(
            lost=f"{found['lost']:.0%}", known=f"{found['known']:,.0f}",
            effective=f"{found['effective']:,.0f}", largest=f"{found['largest_weight']:.1f}",
        )  # fmt: skip
        head = f"| | whole | {' | '.join(READINGS)} |"
        lines += ["", f"## Lost {loss}", "", worth, "", head, "| --- | ---: | ---: | ---: | ---: |"]
        for name, (label, digits) in COMPARED.items():
            off = [found[reading][name] for reading in READINGS]
            cells = [f"{o['off']:+.{digits}f} ± {2.0 * o['error']:.{digits}f}" for o in off]
            lines.append(f"| {label} | {found['whole'][name]:.{digits}f} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", _FOOT])


_HEAD = """# Records of which three in ten are lost

Made by `python -m benchmarks.censoring`: {draws} times, outcomes are drawn for {athletes} simulated
athletes whose knees hurt more often than the champion says, weekly reports stop for some of them,
and the cohort of records is made of what is left. In the column *whole* nobody was lost; the others
are differences from it, ± two standard errors over the draws."""
_WORTH = """{lost} of the knees are lost. The outcomes of the {known} others are worth {effective}
of one weight; the largest weight is {largest}."""
_FOOT = """Lost *given the inputs*: whoever was told a high risk leaves more often, and whoever
trained little in the last four weeks. Lost *by the pain itself*: two of five who get pain stop to
report and never tell of it, and others leave by chance. Nothing that was recorded says who, and no
weight can mend it.
"""


def main() -> int:
    """Run the benchmark, print and write its tables."""
    simulated = simulate(FITTED, CHAMPION_SEED)
    model = fit(simulated.cohort, simulated.truth, interval=False).model
    club = CensoredClub(model, ATHLETES, CLUB_SEED)
    results: dict[str, dict[str, Any]] = {
        loss: summed_up([one_draw(club, loss, seed) for seed in range(DRAWS)]) for loss in LOSSES
    }
    (RESULTS / "censoring.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    page = as_markdown(results)
    (RESULTS / "censoring.md").write_text(page, "utf-8")
    sys.stdout.write(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
