"""What a card is made from, and the words that depend on the kind of cohort."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from kneerisk.cohort import Cohort
from kneerisk.cohort.splits import train_test_split
from kneerisk.evaluation.evaluation import Evaluation
from kneerisk.evidence import effect_sizes
from kneerisk.model import Metadata
from kneerisk.training.leakage.required_sample_size import RequiredEvents, required_events

OUTCOMES = {
    "new_pain": "new knee pain within {months} months, in a leg free of it at the screening",
    "present_pain": "knee pain at the time of the screening; nothing about the future",
    "past_injury": "a knee injury before the screening; nothing about the future",
}
KINDS = {
    "simulated": "athletes drawn with effect sizes judged from studies; nobody was measured",
    "observed": "athletes who were measured, with outcomes that were recorded",
    "adapted": "a simulated base, corrected by athletes who were measured",
}


def effect_counts() -> str:
    """Where the sizes of the effects on the risk come from, counted in the evidence tables."""
    sizes = effect_sizes()
    return (
        f"{sizes['published']} with the size that a study printed, {sizes['judged']} with one "
        f"judged from studies, {sizes['null']} null"
    )


@dataclass(frozen=True, kw_only=True)
class CardContext:
    """A version, the whole cohort that it was made from, and its evaluation."""

    metadata: Metadata
    cohort: Cohort
    """Of an updated version, the club's, under the kind that the version states."""
    evaluation: Evaluation
    plots: tuple[str, ...] = ()
    """Names of the plots that lie in `plots/` beside the card."""
    made_with: Mapping[str, str] = field(default_factory=dict)
    """The environment of the fit, as run parameters."""

    @property
    def metrics(self) -> Mapping[str, float]:
        """Every metric by flat name."""
        return self.evaluation.metrics

    @property
    def simulated(self) -> bool:
        """Whether nobody was measured."""
        return self.cohort.kind == "simulated"

    @property
    def adapted(self) -> bool:
        """Whether another version was corrected."""
        return self.metadata.base_version is not None

    @property
    def from_truth(self) -> bool:
        """Whether it was fitted to true risks instead of outcomes."""
        return self.simulated and "true_risk_mae" in self.metrics

    @property
    def outcome(self) -> str:
        """The outcome in words."""
        return OUTCOMES[self.cohort.outcome_kind].format(months=self.cohort.horizon_months)

    @property
    def unit(self) -> str:
        """What a row is, in the plural."""
        return "legs" if self.cohort.has_sides else "athletes' screenings"

    @cached_property
    def sample_size(self) -> tuple[RequiredEvents, int]:
        """The outcomes that Riley's criteria ask for, and those that it was fitted to."""
        return required_events(train_test_split(self.cohort)[0])

    def number(self, name: str, digits: int) -> str:
        """A metric as text."""
        return f"{self.metrics[name]:.{digits}f}" if name in self.metrics else "not measurable"

    def with_interval(self, name: str, digits: int) -> str:
        """A metric with its 95 % interval, where it has one."""
        ends = [self.metrics.get(f"{name}_{end}") for end in ("low", "high")]
        if ends[0] is None or ends[1] is None:
            return self.number(name, digits)
        return f"{self.number(name, digits)} ({ends[0]:.{digits}f} to {ends[1]:.{digits}f})"

    def plot(self, name: str, shows: str) -> list[str]:
        """A plot with what it shows, where it was drawn."""
        return [f"![{shows}](plots/{name}.png)"] if name in self.plots else []
