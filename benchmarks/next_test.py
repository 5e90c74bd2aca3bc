"""The next best test beside a fixed order, a random one and all tests, on simulated athletes.

``python -m benchmarks.next_test [ATHLETES]`` writes ``results/next-test.md``. Every policy adds
one test after the other to what an athlete has; each stage is scored by the expected log loss of
the model's answer under the athlete's true risk. The fixed orders are found on other athletes than
those that are judged.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.next_test_world import (
    NONE,
    STARTS,
    TESTS,
    Done,
    World,
    best_losses,
    draw,
    log_odds,
    losses,
)
from benchmarks.serving_speed import champion_of
from kneerisk.answer.next_tests import LEAST_SHARE, shares_of
from kneerisk.errors import KneeriskError
from kneerisk.model import Bundle
from kneerisk.model.value_of_information.expected_gain import value_of_information
from kneerisk.schema import FloatArray

RESULT = Path(__file__).parent / "results" / "next-test.md"
ATHLETES, SEED = 20_000, 90_001
#: The fixed orders are chosen on these; no athlete of theirs is judged.
ORDER_ATHLETES, ORDER_SEED = 6_000, 90_002
ADDED = 3
#: So many athletes are predicted, and so many asked about, at once.
CHUNK, TOGETHER = 4_000, 16
#: What the test has to reach: no worse after one test, better after two and three, and so many
#: times the reduction of a random order.
LEAST_Z, LEAST_TIMES = 3.0, 1.5
#: One-sided 95 %: below this a policy is worse.
NOT_WORSE_Z = 1.645
OURS, FIXED, RANDOM, BY_SPORT = "next best test", "best fixed order", "random order", "by sport"
#: Gives the place of the next test of each row, `NONE` for none.
Policy = Callable[[World, Done], np.ndarray]


@dataclass(frozen=True, slots=True)
class Scores:
    """Losses by athlete, shape (n,): at the start and after each test of a policy, and at best.

    ``everything`` is after all tests, ``truth`` of somebody who knows the true risks.
    """

    knees: int
    after: dict[str, list[FloatArray]]
    everything: FloatArray
    truth: FloatArray

    def reduction(self, policy: str, added: int, rows: np.ndarray | None = None) -> float:
        """Share of what all tests would take off the loss that a policy takes off."""
        rows = np.arange(len(self.truth)) if rows is None else rows
        start, end = self.after[policy][0][rows].sum(), self.after[policy][added][rows].sum()
        return float((start - end) / (start - self.everything[rows].sum()))

    def z(self, policy: str, other: str, added: int) -> float:
        """By how many standard errors a policy's loss is below another's, athlete by athlete."""
        apart = self.after[other][added] - self.after[policy][added]
        spread = apart.std(ddof=1) / np.sqrt(len(apart))
        return float(apart.mean() / spread) if spread > 0 else 0.0


def predicted(bundle: Bundle, world: World, done: Done) -> FloatArray:
    """The model's log-odds of all athletes, shape (n, 2)."""
    parts = np.array_split(np.arange(len(done)), max(1, len(done) // CHUNK))
    return np.concatenate([log_odds(bundle.model, world.seen(done, rows)) for rows in parts])


def ours(bundle: Bundle) -> Policy:
    """The test that the answer names first."""

    def pick(world: World, done: Done) -> np.ndarray:
        model, picked = bundle.model, np.full(len(done), NONE)
        for rows in np.array_split(np.arange(len(done)), max(1, len(done) // TOGETHER)):
            data = world.seen(done, rows)
            expected = model.measurement_update.expected(data)
            known = bundle.metadata.population
            found = value_of_information(model, known, data, expected, range(len(rows)))
            for row, one in zip(rows, found, strict=True):
                shares = shares_of(one, world.free[row])
                if len(shares) and shares.max() >= LEAST_SHARE:
                    picked[row] = TESTS.index(tuple(one.missing)[int(shares.argmax())])
        return picked

    return pick


def fixed(order: list[int]) -> Policy:
    """The first test of an order that was not done."""
    return by_rank(lambda world: np.tile(np.argsort(order), (len(world.done), 1)))


def fixed_by_sport(orders: dict[int, list[int]]) -> Policy:
    """The first test of the sport's order that was not done."""
    ranks = {sport: np.argsort(order) for sport, order in orders.items()}
    return by_rank(lambda world: np.stack([ranks[int(s)] for s in world.readings["sport"]]))


def at_random(seed: int) -> Policy:
    """Any test that was not done, in an order of the athlete's own."""
    return by_rank(lambda world: np.random.default_rng(seed).random(world.done.shape))


def by_rank(ranks_of: Callable[[World], FloatArray]) -> Policy:
    """The test of the lowest rank that was not done; ranks of shape (n, n_tests)."""

    def pick(world: World, done: Done) -> np.ndarray:
        ranks = np.where(done, np.inf, ranks_of(world))
        return np.where(done.all(axis=1), NONE, ranks.argmin(axis=1))

    return pick


def follow(bundle: Bundle, world: World, policy: Policy, start: FloatArray) -> list[FloatArray]:
    """Losses by athlete at the start and after each test of a policy."""
    done, found = world.done.copy(), [start]
    for added in range(ADDED):
        sys.stderr.write(f"test {added + 1} of {ADDED}\n")
        picked = policy(world, done)
        rows = np.flatnonzero(picked != NONE)
        if done[rows, picked[rows]].any():
            raise AssertionError("a test was done twice")
        done[rows, picked[rows]] = True
        found.append(world.losses(predicted(bundle, world, done)))
    return found


def judge(bundle: Bundle, world: World, orders: World) -> Scores:
    """Every policy on the same athletes; the fixed orders are chosen on others."""
    sys.stderr.write("fixed orders\n")
    everyone, sport = np.arange(len(orders.done)), orders.readings["sport"]
    best = greedy_order(bundle, orders, everyone)
    by_sport = {
        int(code): greedy_order(bundle, orders, np.flatnonzero(sport == code))
        for code in np.unique(sport)
    }
    policies = {
        OURS: ours(bundle),
        FIXED: fixed(best),
        BY_SPORT: fixed_by_sport(by_sport),
        RANDOM: at_random(SEED),
    }
    start = world.losses(predicted(bundle, world, world.done))
    return Scores(
        knees=int(world.free.sum()),
        after={name: follow(bundle, world, policy, start) for name, policy in policies.items()},
        everything=world.losses(predicted(bundle, world, np.ones_like(world.done))),
        truth=best_losses(world),
    )


def greedy_order(bundle: Bundle, world: World, rows: np.ndarray) -> list[int]:
    """The order in which each next test lowers the loss most, given all before it.

    A test is tried again only while its last gain is the largest left: what one test adds falls
    as others are done.
    """
    done = world.done.copy()
    loss = losses(world.risk[rows], _at(bundle, world, done, rows))
    gains = dict.fromkeys(range(len(TESTS)), np.inf)
    fresh: dict[int, FloatArray] = {}
    order: list[int] = []
    while gains:
        test = max(gains, key=lambda t: gains[t])
        if test in fresh:
            order.append(test)
            loss, done[rows, test] = fresh[test], True
            del gains[test]
            fresh = {}
            continue
        fresh[test] = _with(bundle, world, done, rows, test, loss)
        gains[test] = float((loss - fresh[test]).sum())
        if gains[test] <= 0.0 and all(gain <= 0.0 for gain in gains.values()):
            # What is left helps nobody here: in the order of its gains.
            order += sorted(gains, key=lambda t: -gains[t])
            break
    return order


def _with(
    bundle: Bundle, world: World, done: Done, rows: np.ndarray, test: int, loss: FloatArray
) -> FloatArray:
    """Losses of the rows once this test is done too."""
    changed = np.flatnonzero(~done[rows, test])
    tried = done.copy()
    tried[rows, test] = True
    found = loss.copy()
    if len(changed):
        where = rows[changed]
        found[changed] = losses(world.risk[where], _at(bundle, world, tried, where))
    return found


def _at(bundle: Bundle, world: World, done: Done, rows: np.ndarray) -> FloatArray:
    return log_odds(bundle.model, world.seen(done, rows))


def targets(scores: Scores) -> dict[str, bool]:
    """What has to hold, and whether it does."""
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


def as_markdown(bundle: Bundle, world: World, scores: Scores, ordered: int) -> str:
    """The result as a page."""
    start = scores.after[OURS][0].sum() / scores.knees
    gain = start - scores.everything.sum() / scores.knees
    rows = [_row(name, [scores.reduction(name, k) for k in range(1, ADDED + 1)])
            for name in scores.after]  # fmt: skip
    by_start = []
    for code, name in enumerate(STARTS):
        of = np.flatnonzero(world.start == code)
        shares = [scores.reduction(policy, k, of) for policy in (OURS, FIXED) for k in (1, 2, 3)]
        by_start.append(_row(name, shares))
    met = [f"- {'met' if ok else 'MISSED'}: {what}" for what, ok in targets(scores).items()]
    return "\n".join([
        "# The next best test", "",
        (f"{len(world.done):,} simulated athletes (seed {SEED}), {scores.knees:,} knees free of "
        f"pain; model {bundle.metadata.version}, fitted to {bundle.metadata.athletes:,} others. "
        "Written by `python -m benchmarks.next_test`."), "",
        (f"The expected log loss under the true risk is {start:.5f} at the start; all tests "
        f"together take {gain:.5f} off it, and knowing every true risk would leave "
        f"{scores.truth.sum() / scores.knees:.5f}. The table gives the share of what all tests "
        f"take off. Fixed orders are chosen greedily by the same score on {ordered:,} other "
        f"athletes (seed {ORDER_SEED}); a test that was done is skipped. A reading is the same "
        "whenever its test is done."), "",
        "| policy | after 1 test | after 2 | after 3 |", "| --- | ---: | ---: | ---: |", *rows, "",
        *met, "",
        "A fixed order for each sport is shown beside them; no win over it is claimed.", "",
        "By what was done at the start, ours then the best fixed order:", "",
        "| start | ours 1 | 2 | 3 | fixed 1 | 2 | 3 |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |", *by_start, "",
    ])  # fmt: skip


def _row(name: str, shares: list[float]) -> str:
    return f"| {name} | " + " | ".join(f"{100 * share:.0f} %" for share in shares) + " |"


def main(athletes: int = ATHLETES, order_athletes: int = ORDER_ATHLETES) -> int:
    """Judge, print and write the result; 1 where a target is missed."""
    try:
        bundle = champion_of(Path(os.environ.get("KNEERISK_MODELS") or "models"))
    except KneeriskError as error:
        sys.stderr.write(f"benchmarks.next_test: {error}\n")
        return 1
    world, orders = draw(athletes, SEED), draw(order_athletes, ORDER_SEED)
    scores = judge(bundle, world, orders)
    text = as_markdown(bundle, world, scores, order_athletes)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text, "utf-8")
    sys.stdout.write(text)
    return 0 if all(targets(scores).values()) else 1


if __name__ == "__main__":
    sys.exit(main(*(int(argument) for argument in sys.argv[1:])))
