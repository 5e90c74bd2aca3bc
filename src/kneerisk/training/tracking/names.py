"""What things are called in MLflow: experiments, artifacts, aliases, versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kneerisk.training.tracking.connection import TrackingFailed

#: What a run was made for, and the experiment in which such runs lie side by side.
Purpose = Literal["train", "adapt", "tune", "benchmark"]
EXPERIMENTS: Mapping[Purpose, str] = {
    "train": "kneerisk",
    "adapt": "kneerisk-adapt",
    "tune": "kneerisk-tuning",
    "benchmark": "kneerisk-real-benchmark",
}
#: Artifacts of a run.
BUNDLE, CARD = "bundle", "card.md"
CHALLENGER, CHAMPION = "challenger", "champion"


def registered_name(outcome_kind: str, horizon_months: int | None) -> str:
    """The registered model of an outcome kind: `kneerisk-new_pain-12m`."""
    horizon = f"-{horizon_months}m" if horizon_months else ""
    return f"kneerisk-{outcome_kind}{horizon}"


@dataclass(frozen=True, slots=True)
class Version:
    """A registered version."""

    model: str
    number: int
    run_id: str
    tags: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.model}-v{self.number}"

    @staticmethod
    def parse(text: str) -> tuple[str, int]:
        """The registered model and number of `kneerisk-new_pain-12m-v3`."""
        model, mark, number = text.rpartition("-v")
        if not mark or not (number.isascii() and number.isdigit()):
            raise TrackingFailed(f"{text} is not a version, as kneerisk-new_pain-12m-v3 is")
        return model, int(number)

    @classmethod
    def of(cls, found: Any) -> Version:
        """From what MLflow gives."""
        return cls(str(found.name), int(found.version), str(found.run_id), dict(found.tags))
