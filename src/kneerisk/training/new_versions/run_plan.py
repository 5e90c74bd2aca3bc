"""What a person chooses of a run besides its data: its name, its tags, the settings of the fit."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from kneerisk.errors import KneeriskError
from kneerisk.training.fitting.settings import ALLOWED, DEFAULTS, Settings
from kneerisk.words import text

#: Longest name of a run: MLflow's lists cut longer ones anyway (assumption).
_NAME_CHARACTERS = 120
#: MLflow keeps no longer key and cuts values (`mlflow.utils.validation`, 3.17).
_KEY_CHARACTERS, _VALUE_CHARACTERS = 250, 5_000
#: Tags by which runs are found, and what begins those of MLflow and of a running process.
_RESERVED = frozenset({"cohort_kind", "outcome_kind", "purpose", "alias"})
_RESERVED_BEGINNINGS = ("mlflow.", "process.")
_TABLES = ("name", "tags", "settings")


class RunPlanRefused(KneeriskError):
    """A name, tags or settings that a run can't have, with every fault."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        heading = text("training.run_plan.refused", count=len(faults))
        super().__init__("\n".join([heading, *(f"  {fault}" for fault in faults)]))


@dataclass(frozen=True, slots=True)
class RunPlan:
    """A run's name (the cohort's where it is None), its tags and the settings of its fit."""

    name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    settings: Settings = DEFAULTS


NOTHING_CHOSEN = RunPlan()


def run_plan(
    name: str | None = None,
    tags: Iterable[str] = (),
    settings: Iterable[str] = (),
    config: Path | None = None,
) -> RunPlan:
    """What was chosen on the command line, over what a file says.

    Parameters
    ----------
    name
        Of the run.
    tags
        Each ``KEY=VALUE``.
    settings
        Each ``NAME=VALUE``, such as ``max_depth=4``.
    config
        A TOML file with ``name``, ``[tags]`` and ``[settings]``.

    Returns
    -------
    The plan.

    Raises
    ------
    RunPlanRefused
        With everything that is wrong with it.
    """
    faults: list[str] = []
    from_file = {} if config is None else _read(config, faults)
    all_tags = {**_table(from_file, "tags", faults), **_pairs("--tag", tags, faults)}
    choices = {**_table(from_file, "settings", faults), **_pairs("--set", settings, faults)}
    plan_name = name if name is not None else from_file.get("name")
    faults += [
        *_name_faults(plan_name),
        *(fault for key, value in all_tags.items() for fault in _tag_faults(key, str(value))),
    ]
    chosen = {key: number for key, value in choices.items()
              if (number := _setting(key, value, faults)) is not None}  # fmt: skip
    if faults:
        raise RunPlanRefused(faults)
    texts = {key: str(value) for key, value in all_tags.items()}
    return RunPlan(plan_name, texts, Settings.of(chosen))


def key_values(option: str, pairs: Iterable[str]) -> dict[str, str]:
    """What an option that may be repeated says, each ``KEY=VALUE``, or a `KneeriskError`."""
    faults: list[str] = []
    values = _pairs(option, pairs, faults)
    if faults:
        raise KneeriskError("\n".join(faults))
    return values


def _read(config: Path, faults: list[str]) -> dict[str, Any]:
    """The tables of a file; what else it holds is a fault, since a slip would go unnoticed."""
    try:
        content = tomllib.loads(config.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        faults.append(text("training.run_plan.not_toml", file=config.name, reason=error))
        return {}
    faults += [
        text("training.run_plan.unknown", file=config.name, name=name, known=", ".join(_TABLES))
        for name in content
        if name not in _TABLES
    ]
    return content


def _table(content: Mapping[str, Any], name: str, faults: list[str]) -> dict[str, Any]:
    table = content.get(name, {})
    if isinstance(table, dict):
        return table
    faults.append(text("training.run_plan.not_a_table", name=name))
    return {}


def _pairs(option: str, pairs: Iterable[str], faults: list[str]) -> dict[str, str]:
    split = [pair.partition("=") for pair in pairs]
    faults += [
        text("training.run_plan.not_a_pair", option=option, pair=key)
        for key, mark, _ in split
        if not mark
    ]
    return {key.strip(): value.strip() for key, mark, value in split if mark}


def _name_faults(name: Any) -> list[str]:
    if name is None:
        return []
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        return [text("training.run_plan.name")]
    if len(name) > _NAME_CHARACTERS:
        return [text("training.run_plan.long_name", most=_NAME_CHARACTERS, count=len(name))]
    return []


def _tag_faults(key: str, value: str) -> list[str]:
    faults = []
    allowed = all(letter.isalnum() or letter in "_-./ " for letter in key)
    if not key or not allowed or len(key) > _KEY_CHARACTERS:
        faults.append(text("training.run_plan.tag_key", key=key, most=_KEY_CHARACTERS))
    if key in _RESERVED or key.startswith(_RESERVED_BEGINNINGS):
        faults.append(text("training.run_plan.reserved_tag", key=key))
    if len(value) > _VALUE_CHARACTERS:
        faults.append(text("training.run_plan.tag_value", key=key, most=_VALUE_CHARACTERS))
    return faults


def _setting(name: str, value: Any, faults: list[str]) -> float | None:
    """A setting as a number in its range; None, and a fault, where it is none."""
    if name not in ALLOWED:
        known = ", ".join(each.name for each in fields(Settings))
        faults.append(text("training.run_plan.no_such_setting", name=name, known=known))
        return None
    low, high = ALLOWED[name]
    whole = isinstance(getattr(DEFAULTS, name), int)
    read: Callable[[str], float] = int if whole else float
    try:
        number = read(str(value))
    except ValueError:
        number = float("nan")
    if low <= number <= high:
        return number
    kind = text("training.run_plan.whole") if whole else text("training.run_plan.number")
    faults.append(text("training.run_plan.not_allowed", name=name, value=value, kind=kind,
                       low=f"{low:g}", high=f"{high:g}"))  # fmt: skip
    return None
