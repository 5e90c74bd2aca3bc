"""Which version is served: a challenger passes the gates, is released, and becomes champion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from kneerisk.cohort import Cohort
from kneerisk.errors import CohortRefused, PromotionRefused
from kneerisk.model import bundle, champion
from kneerisk.training.evaluation import paired, risks_of
from kneerisk.training.lineage import load_again
from kneerisk.training.metrics import paired_difference, row_loss
from kneerisk.training.splits import divided
from kneerisk.training.tracking import BUNDLE, CARD, CHALLENGER, CHAMPION, Tracking, Version

#: What a calibration slope on held-out athletes may be (assumption: wide enough for chance,
#: narrow enough that a stated 20 % is not really 10 % or 30 %).
SLOPE_LOW, SLOPE_HIGH = 0.8, 1.25
#: Tag of a version: what was served before it was put in service.
REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition of promotion, whether it is met, and the numbers in words."""

    name: str
    passed: bool
    told: str


@dataclass(frozen=True, slots=True)
class Promoted:
    """What a promotion did."""

    version: str
    served: bool
    previous: str | None
    gates: tuple[Gate, ...]
    message: str


def promote(
    tracking: Tracking,
    models: Path,
    version: str | None = None,
    *,
    data: Path | None = None,
    serve: bool = False,
) -> Promoted:
    """Make a challenger the champion of its outcome kind, and release it.

    Parameters
    ----------
    models
        The folder of released bundles; its `champion.json` says what is served.
    version
        The only challenger, where it is not given.
    data
        The file that the version was trained on, where it is not where it was.
    serve
        Also replace a champion of another outcome kind as what is served.

    Raises
    ------
    PromotionRefused
        Where a gate is not passed, with its numbers.
    """
    chosen = _chosen(tracking, version)
    current = tracking.alias(chosen.model, CHAMPION)
    passed = _gates(tracking, models, chosen, current, data)
    failed = [gate.told for gate in passed if not gate.passed]
    if failed:
        raise PromotionRefused(
            "\n".join([f"{chosen} is not promoted:", *(f"  {f}" for f in failed)])
        )
    _release(tracking, models, chosen)
    served = champion.read(models)
    before = served.version if served else None
    if before is not None and Version.parse(before)[0] != chosen.model and not serve:
        _take_over(tracking, chosen)
        return Promoted(str(chosen), False, before, passed, _kept(chosen, before))
    previous = served.previous if served and before == str(chosen) else before
    if previous is not None:
        tracking.tag(chosen, **{REPLACED: previous})
    tracking.give(chosen, CHAMPION)
    champion.write(models, str(chosen), chosen.tags["bundle_sha256"], previous)
    _take_over(tracking, chosen)
    return Promoted(str(chosen), True, previous, passed, f"{chosen} is champion and is served.")


def rollback(tracking: Tracking, models: Path) -> Promoted:
    """Serve again what the champion replaced.

    Raises
    ------
    PromotionRefused
        Where nothing is served, or nothing was served before.
    """
    served = champion.read(models)
    if served is None:
        raise PromotionRefused(f"{models} names no champion, so there is nothing to roll back")
    if served.previous is None:
        raise PromotionRefused(
            f"{served.version} replaced nothing, so there is nothing to put back"
        )
    target = tracking.version(served.previous)
    _release(tracking, models, target)
    if target.model == Version.parse(served.version)[0]:
        tracking.give(target, CHAMPION)
    before = target.tags.get(REPLACED)
    champion.write(models, str(target), target.tags["bundle_sha256"], before)
    message = f"{target} is served again, in place of {served.version}."
    return Promoted(str(target), True, before, (), message)


def _chosen(tracking: Tracking, version: str | None) -> Version:
    if version is not None:
        return tracking.version(version)
    waiting = tracking.challengers()
    if not waiting:
        raise PromotionRefused("there is no challenger: train a model first")
    if len(waiting) > 1:
        names = ", ".join(sorted(str(found) for found in waiting))
        raise PromotionRefused(f"there are several challengers; name one of {names}")
    return waiting[0]


def _gates(
    tracking: Tracking, models: Path, chosen: Version, current: Version | None, data: Path | None
) -> tuple[Gate, ...]:
    params, metrics = tracking.logged(chosen.run_id)
    found = [slope_gate(metrics.get("calibration_slope"))]
    if current is not None and current.number != chosen.number:
        cohort = _held_out(params, data)
        found.append(_loss_gate(tracking, models, chosen, current, cohort))
    return tuple(found)


def slope_gate(slope: float | None) -> Gate:
    """Risks on held-out athletes are neither too extreme nor too timid."""
    allowed = f"allowed is {SLOPE_LOW} to {SLOPE_HIGH}"
    if slope is None:
        told = (
            f"calibration slope on held-out athletes can't be measured: too few outcomes; {allowed}"
        )
        return Gate("calibration_slope", passed=False, told=told)
    told = f"calibration slope on held-out athletes is {slope:.2f}; {allowed}"
    return Gate("calibration_slope", SLOPE_LOW <= slope <= SLOPE_HIGH, told)


def _loss_gate(
    tracking: Tracking, models: Path, chosen: Version, current: Version, cohort: Cohort
) -> Gate:
    """Log loss is no worse than the champion's by more than one standard error."""
    data = cohort.columns()
    with TemporaryDirectory() as folder:
        new, old = (
            risks_of(bundle.load(_fetched(tracking, models, one, Path(folder))).model.predict(data))
            for one in (chosen, current)
        )
    one, other = paired(cohort, new, old)
    if len(one.outcome) == 0:
        raise PromotionRefused(f"{chosen} and {current} have no held-out outcome in common")
    worse = row_loss(one.probability, one.outcome) - row_loss(other.probability, other.outcome)
    mean, error = paired_difference(worse, one.athlete)
    told = (
        f"log loss on the same {len(worse)} held-out rows is {mean:+.5f} from that of {current}; "
        f"allowed is one standard error of the difference, {error:.5f}"
    )
    return Gate("log_loss", mean <= error, told)


def _held_out(params: dict[str, str], data: Path | None) -> Cohort:
    try:
        cohort, _ = load_again(params, data)
    except CohortRefused as error:
        raise PromotionRefused(str(error)) from None
    return divided(cohort)[1]


def _fetched(tracking: Tracking, models: Path, version: Version, folder: Path) -> Path:
    released = models / str(version)
    if released.exists():
        return released
    (folder / str(version)).mkdir()
    return tracking.download(version.run_id, BUNDLE, folder / str(version))


def _release(tracking: Tracking, models: Path, version: Version) -> None:
    """Put a bundle and its card into `models/<version>/`, whole or not at all."""
    released = models / str(version)
    models.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=models, prefix=".incoming-") as folder:
        if not released.exists():
            fetched = tracking.download(version.run_id, BUNDLE, Path(folder))
            bundle.load(fetched, version.tags["bundle_sha256"])
            fetched.replace(released)
        card = models / f"{version}.md"
        if not card.exists():
            tracking.download(version.run_id, CARD, Path(folder)).replace(card)
    bundle.load(released, version.tags["bundle_sha256"])


def _take_over(tracking: Tracking, chosen: Version) -> None:
    tracking.give(chosen, CHAMPION)
    waiting = tracking.alias(chosen.model, CHALLENGER)
    if waiting is not None and waiting.number == chosen.number:
        tracking.take(chosen.model, CHALLENGER)


def _kept(chosen: Version, served: str) -> str:
    return (
        f"{chosen} is champion of its own outcome kind and is released, but {served} is of "
        "another kind and is still what is served; --serve would replace it."
    )
