"""Which version is served: a challenger passes the gates, is released, and becomes champion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from kneerisk.cohort import Cohort
from kneerisk.cohort.splits import train_test_split
from kneerisk.errors import CohortRefused, PromotionRefused
from kneerisk.evaluation.task_rows import paired_rows, risks_of
from kneerisk.model import bundle, champion
from kneerisk.training.provenance.lineage import load_again
from kneerisk.training.registry.gates import Gate, loss_gate, slope_gate
from kneerisk.training.tracking import CARD, CHALLENGER, CHAMPION, PLOTS, Tracking, Version

#: Tag of a version: what was served before it was put in service.
REPLACED = "replaced"


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
    found = [slope_gate(metrics)]
    if current is not None and current.number != chosen.number:
        cohort = _held_out(params, data)
        found.append(_loss_gate(tracking, models, chosen, current, cohort))
    return tuple(found)


def _loss_gate(
    tracking: Tracking, models: Path, chosen: Version, current: Version, cohort: Cohort
) -> Gate:
    """The challenger beside the champion on the held-out athletes of its cohort."""
    data = cohort.columns()
    with TemporaryDirectory() as folder:
        new, old = (
            risks_of(bundle.load(_fetched(tracking, models, one, Path(folder))).model.predict(data))
            for one in (chosen, current)
        )
    one, other = paired_rows(cohort, new, old)
    if len(one.outcome) == 0:
        raise PromotionRefused(f"{chosen} and {current} have no held-out outcome in common")
    return loss_gate(one, other, str(current))


def _held_out(params: dict[str, str], data: Path | None) -> Cohort:
    try:
        cohort, _ = load_again(params, data)
    except CohortRefused as error:
        raise PromotionRefused(str(error)) from None
    return train_test_split(cohort)[1]


def _fetched(tracking: Tracking, models: Path, version: Version, folder: Path) -> Path:
    released = models / str(version)
    if released.exists():
        return released
    (folder / str(version)).mkdir()
    return tracking.bundle(version, folder / str(version))


def _release(tracking: Tracking, models: Path, version: Version) -> None:
    """Put a bundle, its card and the card's plots into `models/<version>/`, or nothing."""
    released = models / str(version)
    models.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=models, prefix=".incoming-") as folder:
        if not released.exists():
            fetched = tracking.bundle(version, Path(folder))
            bundle.load(fetched, version.tags["bundle_sha256"])
            if tracking.holds(version.run_id, CARD):
                tracking.download(version.run_id, CARD, fetched)
            tracking.plots(version.run_id, fetched / PLOTS)
            fetched.replace(released)
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
