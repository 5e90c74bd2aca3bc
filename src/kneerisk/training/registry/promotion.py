"""Which version is served: a challenger passes the gates, is released, and becomes champion."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kneerisk.cohort import Cohort
from kneerisk.cohort.splits import train_test_split
from kneerisk.errors import CohortRefused, PromotionRefused
from kneerisk.evaluation.task_rows import paired_rows, risks_of
from kneerisk.model import bundle, champion
from kneerisk.training.provenance import load_again
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

    def as_dict(self) -> dict[str, Any]:
        """Plain data; the message of a gate is called `told`, as in earlier releases."""
        gates = [
            {"name": gate.name, "passed": gate.passed, "told": gate.message} for gate in self.gates
        ]
        return {**asdict(self), "gates": gates}


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
    tracking
        The store of runs and versions.
    models
        The folder of released bundles; its `champion.json` says what is served.
    version
        The only challenger, where it is not given.
    data
        The file that the version was trained on, where it was moved.
    serve
        Whether to replace a served champion of another outcome kind as well.

    Returns
    -------
    What was done.

    Raises
    ------
    PromotionRefused
        Where a gate is not passed, with its numbers.
    """
    challenger = _select(tracking, version)
    current = tracking.version_with_alias(challenger.model, CHAMPION)
    passed = _gates(tracking, models, challenger, current, data)
    failed = [gate.message for gate in passed if not gate.passed]
    if failed:
        raise PromotionRefused(
            "\n".join([f"{challenger} is not promoted:", *(f"  {message}" for message in failed)])
        )
    _release(tracking, models, challenger)
    served = champion.read(models)
    before = served.version if served else None
    if before is not None and Version.parse(before)[0] != challenger.model and not serve:
        _make_champion(tracking, challenger)
        return Promoted(str(challenger), False, before, passed, _still_served(challenger, before))
    previous = served.previous if served and before == str(challenger) else before
    if previous is not None:
        tracking.tag_version(challenger, **{REPLACED: previous})
    tracking.set_alias(challenger, CHAMPION)
    champion.write(models, str(challenger), challenger.tags["bundle_sha256"], previous)
    _make_champion(tracking, challenger)
    return Promoted(
        str(challenger), True, previous, passed, f"{challenger} is champion and is served."
    )


def rollback(tracking: Tracking, models: Path) -> Promoted:
    """Serve again what the champion replaced.

    Parameters
    ----------
    tracking
        The store of runs and versions.
    models
        The folder of released bundles.

    Returns
    -------
    What was done.

    Raises
    ------
    PromotionRefused
        Where nothing is served, or nothing was served before.
    """
    served = champion.read(models)
    if served is None:
        raise PromotionRefused(f"{models} names no champion, so there is nothing to roll back")
    if served.previous is None:
        raise PromotionRefused(f"{served.version} replaced nothing, so there is nothing to restore")
    target = tracking.version(served.previous)
    _release(tracking, models, target)
    if target.model == Version.parse(served.version)[0]:
        tracking.set_alias(target, CHAMPION)
    before = target.tags.get(REPLACED)
    champion.write(models, str(target), target.tags["bundle_sha256"], before)
    message = f"{target} is served again, in place of {served.version}."
    return Promoted(str(target), True, before, (), message)


def _select(tracking: Tracking, version: str | None) -> Version:
    if version is not None:
        return tracking.version(version)
    challengers = tracking.challengers()
    if not challengers:
        raise PromotionRefused("there is no challenger: train a model first")
    if len(challengers) > 1:
        names = ", ".join(sorted(str(version) for version in challengers))
        raise PromotionRefused(f"there are several challengers; name one of {names}")
    return challengers[0]


def _gates(
    tracking: Tracking,
    models: Path,
    challenger: Version,
    current: Version | None,
    data: Path | None,
) -> tuple[Gate, ...]:
    params, metrics = tracking.logged_values(challenger.run_id)
    gates = [slope_gate(metrics)]
    if current is not None and current.number != challenger.number:
        cohort = _held_out(params, data)
        gates.append(_loss_gate(tracking, models, challenger, current, cohort))
    return tuple(gates)


def _loss_gate(
    tracking: Tracking, models: Path, challenger: Version, current: Version, cohort: Cohort
) -> Gate:
    """The challenger against the champion on the held-out athletes of its cohort."""
    data = cohort.columns()
    with TemporaryDirectory() as folder:
        fetched = (
            _fetch(tracking, models, version, Path(folder)) for version in (challenger, current)
        )
        new, old = (risks_of(bundle.load(path).model.predict(data)) for path in fetched)
    new_rows, old_rows = paired_rows(cohort, new, old)
    if len(new_rows.outcome) == 0:
        raise PromotionRefused(f"{challenger} and {current} have no held-out outcome in common")
    return loss_gate(new_rows, old_rows, str(current))


def _held_out(params: dict[str, str], data: Path | None) -> Cohort:
    try:
        cohort, _ = load_again(params, data)
    except CohortRefused as error:
        raise PromotionRefused(str(error)) from None
    return train_test_split(cohort)[1]


def _fetch(tracking: Tracking, models: Path, version: Version, folder: Path) -> Path:
    released = models / str(version)
    if released.exists():
        return released
    (folder / str(version)).mkdir()
    return tracking.download_bundle(version, folder / str(version))


def _release(tracking: Tracking, models: Path, version: Version) -> None:
    """Put a bundle, its card and the card's plots into `models/<version>/`, or nothing."""
    released = models / str(version)
    models.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=models, prefix=".incoming-") as folder:
        if not released.exists():
            fetched = tracking.download_bundle(version, Path(folder))
            bundle.load(fetched, version.tags["bundle_sha256"])
            if tracking.has_artifact(version.run_id, CARD):
                tracking.download(version.run_id, CARD, fetched)
            tracking.download_plots(version.run_id, fetched / PLOTS)
            fetched.replace(released)
    bundle.load(released, version.tags["bundle_sha256"])


def _make_champion(tracking: Tracking, version: Version) -> None:
    """Move the alias `champion` to a version, which is then no challenger any more."""
    tracking.set_alias(version, CHAMPION)
    challenger = tracking.version_with_alias(version.model, CHALLENGER)
    if challenger is not None and challenger.number == version.number:
        tracking.remove_alias(version.model, CHALLENGER)


def _still_served(challenger: Version, served: str) -> str:
    return (
        f"{challenger} is champion of its own outcome kind and is released, but {served} is of "
        "another kind and is still served; --serve would replace it."
    )
