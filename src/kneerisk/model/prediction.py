"""What a model says of screenings: risks of each knee, their intervals, imbalances."""

from __future__ import annotations

from dataclasses import dataclass

from kneerisk.schema import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a model says of n screenings; probabilities of shape (n,).

    ``left`` and ``right`` are None where the cohort had no sides. ``intervals`` holds the lower
    and upper bound of each probability that is given, by its name. ``imbalances`` has shape
    (n, 2, 5), left first, and is None where the cohort had no imbalance to learn from.
    """

    left: FloatArray | None
    right: FloatArray | None
    either: FloatArray
    intervals: dict[str, tuple[FloatArray, FloatArray]]
    imbalances: FloatArray | None

    def take(self, n: int) -> Prediction:
        """The first n screenings."""
        return Prediction(
            left=None if self.left is None else self.left[:n],
            right=None if self.right is None else self.right[:n],
            either=self.either[:n],
            intervals={name: (low[:n], high[:n]) for name, (low, high) in self.intervals.items()},
            imbalances=None if self.imbalances is None else self.imbalances[:n],
        )
