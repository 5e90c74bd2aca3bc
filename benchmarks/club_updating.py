"""Adapting beside the champion as it is and beside training from scratch, in simulated clubs.

`python -m benchmarks.club_updating` draws clubs whose base rate and effects differ from the
champion's, adapts the champion to each, and judges by the expected log loss of a leg under the
club's true risks, on athletes that nobody was fitted to. How far clubs differ here is not what
the rule assumes of them (`club_intercept_sd`, `club_slope_sd`).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, logit

from benchmarks.club_updating_table import as_markdown
from kneerisk.cohort import Cohort
from kneerisk.cohort.simulation.athletes import draw_athletes
from kneerisk.cohort.simulation.outcomes import Truth, draw_outcomes
from kneerisk.cohort.simulation.simulated_cohort import simulate
from kneerisk.cohort.splits import subset
from kneerisk.errors import CohortRefused
from kneerisk.evidence.pair_dependence import either
from kneerisk.evidence.population import published
from kneerisk.evidence.risk_factors import LegView, contrasts
from kneerisk.evidence.tables import assumption
from kneerisk.model.risk_model import RiskModel
from kneerisk.schema import SIDES, FloatArray
from kneerisk.training.fitting.fit import fit
from kneerisk.training.updating.club_likelihood import Club, club_of
from kneerisk.training.updating.model_updating import adapt_to

RESULTS = Path(__file__).parent / "results"
SIZES = (50, 100, 200, 500, 1000, 2000, 5000)
CLUBS = 100
#: Of worlds but the first, so many clubs where each takes long: their spread is small.
CLUBS_BESIDE, LARGE = 40, 1_000
#: Athletes that clubs are drawn from, and those on whom every model is judged.
POOL, POOL_SEED = 20_000, 9_001
FRESH, FRESH_SEED = 1_000, 9_002


@dataclass(frozen=True, slots=True)
class World:
    """How clubs differ from the champion: SD of the shift of log-odds, slope, SD of each effect.

    Every published effect moves by its own draw, in log-odds per contrast.
    """

    name: str
    shift_sd: float
    slope_mean: float
    slope_sd: float
    effect_sd: float


#: The last one is the world that the champion was trained in.
WORLDS = (
    World("different", 0.7, 0.9, 0.3, 0.15),
    World("a little different", 0.35, 1.0, 0.15, 0.1),
    World("the same", 0.0, 1.0, 0.0, 0.0),
)


@dataclass(frozen=True)
class Pool:
    """Athletes with what was recorded of them, their true log-odds and their risk factors.

    ``log_odds`` (n, 2) is NaN for a knee that hurts already; ``factors`` has shape (n, 2, f).
    """

    cohort: Cohort
    log_odds: FloatArray
    factors: FloatArray

    @classmethod
    def draw(cls, athletes: int, seed: int) -> Pool:
        """Simulated athletes; `simulate` draws the same ones first, whose true values these are."""
        simulated = simulate(athletes, seed)
        drawn = draw_athletes(published(), athletes, np.random.default_rng(seed))
        names = (*drawn.population.athlete, *drawn.population.leg)
        sides = []
        for side in SIDES:
            mean = {name: drawn.z(side, name) for name in names}
            view = LegView(
                mean=mean,
                variance={name: np.zeros(athletes) for name in names},
                data=drawn.data,
                prior=drawn.data[f"{side}_prior_knee_injury"],
                episodes=drawn.data[f"{side}_same_side_episodes"],
            )
            sides.append(np.column_stack(list(contrasts(view).values())))
        risks = simulated.truth[["risk_left", "risk_right"]].to_numpy(np.float64)
        cohort = replace(simulated.cohort, kind="observed", source="a simulated club")
        return cls(cohort=cohort, log_odds=logit(risks), factors=np.stack(sides, axis=1))

    def risks(self, difference: Difference) -> FloatArray:
        """True risks (n, 2) of the pool's legs, were they a club's."""
        centre = np.nanmean(self.log_odds)
        moved = (self.factors - self.factors.mean(axis=(0, 1))) @ difference.effects
        log_odds = centre + difference.slope * (self.log_odds - centre) + moved
        return np.asarray(expit(log_odds + difference.shift))


@dataclass(frozen=True, slots=True)
class Difference:
    """How one club differs."""

    shift: float
    slope: float
    effects: FloatArray

    @classmethod
    def draw(cls, world: World, factors: int, rng: np.random.Generator) -> Difference:
        """One club of a world."""
        return cls(
            shift=float(rng.normal(0.0, world.shift_sd)),
            slope=float(np.clip(rng.normal(world.slope_mean, world.slope_sd), 0.2, 2.0)),
            effects=rng.normal(0.0, world.effect_sd, factors),
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """Expected log loss a leg of each way, in one club; NaN where one can't be fitted."""

    world: str
    size: int
    club: int
    events: int
    step: str
    true: float
    as_is: float
    adapted: float
    scratch: float


class Bench:
    """A champion, the pools, and both as the champion reads them."""

    def __init__(self, model: RiskModel, pool: int = POOL, fresh: int = FRESH) -> None:
        self.model = model
        self.pool, self.fresh = Pool.draw(pool, POOL_SEED), Pool.draw(fresh, FRESH_SEED)
        self._club = club_of(model, self.pool.cohort)
        self._fresh = club_of(model, self.fresh.cohort)

    def judge(self, world: World, size: int, number: int, *, scratch: bool = True) -> Judged:
        """One club: drawn, adapted to, and judged on fresh athletes of it."""
        rng = np.random.default_rng([size, number, 77])
        difference = Difference.draw(world, self.pool.factors.shape[2], rng)
        rows = rng.choice(len(self.pool.log_odds), size, replace=False)
        club, cohort = self._recorded(rows, self.pool.risks(difference)[rows], rng)
        adapted = adapt_to(self.model, club)
        true = self.fresh.risks(difference)
        return Judged(
            world=world.name,
            size=size,
            club=number,
            events=club.events,
            step=adapted.step,
            true=_loss(true, logit(true)),
            as_is=_loss(true, self._fresh.log_odds),
            adapted=_loss(true, adapted.model.log_odds(self._fresh.legs)),
            scratch=self._scratch(cohort, true) if scratch else float("nan"),
        )

    def _recorded(
        self, rows: FloatArray, risks: FloatArray, rng: np.random.Generator
    ) -> tuple[Club, Cohort]:
        """The club's outcomes, as the adaptation and as a training reads them."""
        left, right = risks.T
        joint = either(left, right, assumption("left_right_pain_odds_ratio"))
        drawn = draw_outcomes(Truth(left=left, right=right, either=joint, imbalances=risks), rng)
        outcome = np.where(np.isnan(risks), np.nan, np.stack(drawn, axis=1))
        whole = subset(self.pool.cohort, np.isin(np.arange(len(self.pool.log_odds)), rows))
        order = np.argsort(rows)
        frame = whole.frame.assign(outcome_left=outcome[order, 0], outcome_right=outcome[order, 1])
        return replace(self._club.take(rows), outcome=outcome), replace(whole, frame=frame)

    def _scratch(self, cohort: Cohort, true: FloatArray) -> float:
        try:
            model = fit(cohort, interval=False).model
        except CohortRefused:
            return float("nan")
        found = model.predict(self.fresh.cohort.columns())
        return _loss(true, logit(np.stack([found.left, found.right], axis=1)))


def _loss(true: FloatArray, log_odds: FloatArray) -> float:
    """Expected log loss a leg free of pain, in nats."""
    known = ~np.isnan(true)
    found = log_odds[known]
    return float((np.logaddexp(0.0, found) - true[known] * found).mean())


@cache
def _bench(models: Path) -> Bench:
    from benchmarks.serving_speed import champion_of

    return Bench(champion_of(models).model)


def _judge(task: tuple[Path, World, int, int, bool]) -> Judged:
    models, world, size, number, scratch = task
    return _bench(models).judge(world, size, number, scratch=scratch)


def main() -> int:
    """Measure, print and write the results; 1 where a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.club_updating", description=__doc__)
    parser.add_argument("--clubs", type=int, default=CLUBS, help="clubs of each size and world")
    parser.add_argument("--scratch", type=int, default=CLUBS, help="of these, also from scratch")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--journal", type=Path, help="a file of clubs done, to go on from")
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    models = Path(os.environ.get("KNEERISK_MODELS") or "models").resolve()
    judged = _journal(given.journal)
    done = {(row["world"], row["size"], row["club"]) for row in judged}
    # Training from scratch is what takes long: it stands beside the clubs that differ most.
    tasks = [(models, world, size, number, world == WORLDS[0] and number < given.scratch)
             for size in given.sizes for world in WORLDS for number in range(given.clubs)
             if world == WORLDS[0] or size < LARGE or number < CLUBS_BESIDE
             if (world.name, size, number) not in done]  # fmt: skip
    with ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as workers:
        for found in workers.map(_judge, tasks):
            judged.append(asdict(found))
            if given.journal:
                with given.journal.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(found)) + "\n")
    worlds = [asdict(world) for world in WORLDS]
    text, met = as_markdown(
        judged, worlds, f"python -m benchmarks.club_updating --clubs {given.clubs}"
    )
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "clubs.md").write_text(text, "utf-8")
    sys.stdout.write(text)
    return 0 if met else 1


def _journal(path: Path | None) -> list[dict[str, Any]]:
    if path is None or not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


if __name__ == "__main__":
    sys.exit(main())
