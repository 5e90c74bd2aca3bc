"""The next best test against a fixed order, a random one and all tests, on simulated athletes.

``python -m benchmarks.next_test [ATHLETES]`` writes ``results/next-test.md``. Every policy adds one
test after another to those an athlete has done; each stage is scored by the expected log loss of
the model's answer under the athlete's true risk. The fixed orders are chosen on other athletes than
those that are scored.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import sem

from benchmarks.next_test_policies import (
    NO_TEST,
    STARTS,
    FullyTestedAthletes,
    Policy,
    at_random,
    draw,
    fixed,
    fixed_by_sport,
    greedy_order,
    lowest_losses,
    next_best,
    predict,
)
from benchmarks.serving_speed import champion_of
from kneerisk.errors import KneeriskError
from kneerisk.model import Bundle
from kneerisk.schema import FloatArray

PAGE = Path(__file__).parent / "results" / "next-test.md"
ATHLETES, SEED = 20_000, 90_001
#: The fixed orders are chosen on these athletes, who are not scored.
ORDER_ATHLETES, ORDER_SEED = 6_000, 90_002
ADDED = 3
#: Targets: no worse after one test, better after two and three, and so many times the reduction of
#: a random order.
LEAST_Z, LEAST_TIMES = 3.0, 1.5
#: One-sided 95 %: below this a policy is worse.
NOT_WORSE_Z = 1.645
OURS, FIXED, RANDOM, BY_SPORT = "next best test", "best fixed order", "random order", "by sport"


@dataclass(frozen=True, slots=True)
class PolicyScores:
    """Expected losses of n athletes, shape (n,): by policy at the start and after each test.

    ``everything`` is the loss after all tests, ``truth`` that of predicting the true risks.
    """

    knees: int
    after: dict[str, list[FloatArray]]
    everything: FloatArray
    truth: FloatArray

    def reduction(self, policy: str, added: int, rows: np.ndarray | None = None) -> float:
        """Share of the reduction by all tests that a policy reaches after some tests.

        Parameters
        ----------
        policy
            Name of the policy.
        added
            How many tests it added.
        rows
            Positions of athletes, shape (m,); all by default.

        Returns
        -------
        float
            The share, 1 where the policy's tests are worth as much as all.
        """
        rows = np.arange(len(self.truth)) if rows is None else rows
        start, end = self.after[policy][0][rows].sum(), self.after[policy][added][rows].sum()
        return float((start - end) / (start - self.everything[rows].sum()))

    def z(self, policy: str, other: str, added: int) -> float:
        """Compare two policies after so many tests.

        Parameters
        ----------
        policy
            Name of the policy.
        other
            Name of the policy it is compared with.
        added
            How many tests each added.

        Returns
        -------
        float
            The paired difference over its standard error; above 0 the first policy is better.
        """
        differences = self.after[other][added] - self.after[policy][added]
        error = sem(differences)
        return float(differences.mean() / error) if error > 0 else 0.0


def follow(
    bundle: Bundle, athletes: FullyTestedAthletes, policy: Policy, start: FloatArray
) -> list[FloatArray]:
    """Add the tests that a policy picks, one after another.

    Parameters
    ----------
    bundle
        The model.
    athletes
        On whom.
    policy
        Picks the tests.
    start
        Expected losses before, shape (n,).

    Returns
    -------
    list
        Expected losses, shape (n,) each, at the start and after each test.
    """
    done, stages = athletes.done.copy(), [start]
    for added in range(ADDED):
        sys.stderr.write(f"test {added + 1} of {ADDED}\n")
        picked = policy(athletes, done)
        rows = np.flatnonzero(picked != NO_TEST)
        if done[rows, picked[rows]].any():
            raise AssertionError("a test was done twice")
        done[rows, picked[rows]] = True
        stages.append(athletes.losses(predict(bundle, athletes, done)))
    return stages


def score(
    bundle: Bundle, athletes: FullyTestedAthletes, order_athletes: FullyTestedAthletes
) -> PolicyScores:
    """Score every policy on the same athletes.

    Parameters
    ----------
    bundle
        The model.
    athletes
        Whom to score.
    order_athletes
        Others, on whom the fixed orders are chosen.

    Returns
    -------
    PolicyScores
        Losses by policy.
    """
    sys.stderr.write("fixed orders\n")
    everyone, sport = np.arange(len(order_athletes.done)), order_athletes.readings["sport"]
    best = greedy_order(bundle, order_athletes, everyone)
    by_sport = {
        int(code): greedy_order(bundle, order_athletes, np.flatnonzero(sport == code))
        for code in np.unique(sport)
    }
    policies = {
        OURS: next_best(bundle),
        FIXED: fixed(best),
        BY_SPORT: fixed_by_sport(by_sport),
        RANDOM: at_random(SEED),
    }
    start = athletes.losses(predict(bundle, athletes, athletes.done))
    return PolicyScores(
        knees=int(athletes.free.sum()),
        after={name: follow(bundle, athletes, policy, start) for name, policy in policies.items()},
        everything=athletes.losses(predict(bundle, athletes, np.ones_like(athletes.done))),
        truth=lowest_losses(athletes),
    )


def targets(scores: PolicyScores) -> dict[str, bool]:
    """Each target in words, and whether it is met."""
    z = [scores.z(OURS, FIXED, added) for added in range(1, ADDED + 1)]
    times = [scores.reduction(OURS, k) / scores.reduction(RANDOM, k) for k in range(1, ADDED + 1)]
    return {
        f"no worse than the best fixed order after 1 test (z {z[0]:.1f}, at least -1.645)": (
            z[0] >= -NOT_WORSE_Z
        ),
        f"better after 2 and 3 tests (z {z[1]:.1f} and {z[2]:.1f}, at least {LEAST_Z:g})": (
            min(z[1:]) >= LEAST_Z
        ),
        f"at least {LEAST_TIMES:g} times the reduction of a random order "
        f"({min(times):.1f} times)": min(times) >= LEAST_TIMES,
    }


def as_markdown(
    bundle: Bundle, athletes: FullyTestedAthletes, scores: PolicyScores, n_order_athletes: int
) -> str:
    """Render the page.

    Parameters
    ----------
    bundle
        The model.
    athletes
        Those who were scored.
    scores
        Their losses.
    n_order_athletes
        How many others the fixed orders were chosen on.

    Returns
    -------
    str
        Markdown.
    """
    start = scores.after[OURS][0].sum() / scores.knees
    gain = start - scores.everything.sum() / scores.knees
    rows = [_row(name, [scores.reduction(name, added) for added in range(1, ADDED + 1)])
            for name in scores.after]  # fmt: skip
    rows_by_start = []
    for code, name in enumerate(STARTS):
        group = np.flatnonzero(athletes.start == code)
        shares = [scores.reduction(policy, k, group) for policy in (OURS, FIXED) for k in (1, 2, 3)]
        rows_by_start.append(_row(name, shares))
    met = [f"- {'met' if ok else 'MISSED'}: {what}" for what, ok in targets(scores).items()]
    return "\n".join([
        "# The next best test", "",
        (f"{len(athletes.done):,} simulated athletes (seed {SEED}), {scores.knees:,} knees free of "
        f"pain; model {bundle.metadata.version}, fitted to {bundle.metadata.athletes:,} others. "
        "Made by `python -m benchmarks.next_test`."), "",
        (f"The expected log loss under the true risk is {start:.5f} at the start. All tests "
        f"together reduce it by {gain:.5f}; predicting every true risk would give "
        f"{scores.truth.sum() / scores.knees:.5f}. The table shows the share of the reduction by "
        "all tests. Fixed orders are chosen greedily by the same score on "
        f"{n_order_athletes:,} other athletes (seed {ORDER_SEED}); a test already done is skipped. "
        "A test gives the same reading whenever it is done."), "",
        "| policy | after 1 test | after 2 | after 3 |", "| --- | ---: | ---: | ---: |", *rows, "",
        *met, "",
        "A fixed order for each sport is shown for comparison; no target concerns it.", "",
        "By what was done at the start, next best test then best fixed order:", "",
        "| start | next best 1 | 2 | 3 | fixed 1 | 2 | 3 |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |", *rows_by_start, "",
    ])  # fmt: skip


def _row(name: str, shares: list[float]) -> str:
    return f"| {name} | " + " | ".join(f"{100 * share:.0f} %" for share in shares) + " |"


def main(n_athletes: int = ATHLETES, n_order_athletes: int = ORDER_ATHLETES) -> int:
    """Score, print and write the page; 1 if a target is missed."""
    try:
        bundle = champion_of(Path(os.environ.get("KNEERISK_MODELS") or "models"))
    except KneeriskError as error:
        sys.stderr.write(f"benchmarks.next_test: {error}\n")
        return 1
    athletes, order_athletes = draw(n_athletes, SEED), draw(n_order_athletes, ORDER_SEED)
    scores = score(bundle, athletes, order_athletes)
    text = as_markdown(bundle, athletes, scores, n_order_athletes)
    PAGE.write_text(text, "utf-8")
    sys.stdout.write(text)
    return 0 if all(targets(scores).values()) else 1


if __name__ == "__main__":
    sys.exit(main(*(int(argument) for argument in sys.argv[1:])))
