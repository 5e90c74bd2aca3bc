"""The hazard by week beside a model, in words, for the commands that fit one."""

from __future__ import annotations

from collections.abc import Mapping

from kneerisk.words import text, variant


def hazard_lines(metrics: Mapping[str, float], proposed: str | None) -> list[str]:
    """The hazard by week beside the risk of the horizon, and which of the two is proposed."""
    if proposed is None:
        return []
    prefix = "iecv_" if "iecv_hazard_log_loss" in metrics else "cv_"
    loss, slope = (f"{metrics[f'{prefix}hazard_{name}']:.{digits}f}"
                   for name, digits in (("log_loss", 4), ("calibration_slope", 2)))  # fmt: skip
    saved = f"{metrics[f'{prefix}log_loss_over_hazard']:+.4f}"
    error = f"{metrics[f'{prefix}log_loss_over_hazard_error']:.4f}"
    lines = [
        text("command_line.hazard.beside", loss=loss, slope=slope, saved=saved, error=error),
        variant("command_line.hazard.proposed", proposed),
    ]
    if "hazard_training_ratio" in metrics:
        ratio = {f"ratio{end}": f"{metrics[f'hazard_training_ratio{end}']:.2f}"
                 for end in ("", "_low", "_high")}  # fmt: skip
        lines.append(text("command_line.hazard.training", **ratio))
    return lines
