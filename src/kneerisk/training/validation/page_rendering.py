"""What printed pages share: a document that needs nothing else, its style, its numbers."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from kneerisk.evaluation.metric_table import metric_named
from kneerisk.words import plural, text, variant

#: Digits after the point of what is no metric of the table.
_DIGITS = {"observed_to_expected": 2, "net_benefit": 2}
MINUS = "\u2212"


def render(template: Literal["validation.html.j2", "pooled.html.j2"], **content: Any) -> str:
    """A page as a whole HTML document: no script, no request, its own style alone.

    Parameters
    ----------
    template
        Its name.
    **content
        What the template shows.

    Returns
    -------
    The document.
    """
    style = _style()
    sha256 = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{sha256}'; base-uri 'none'; form-action 'none'"
    page = _environment().get_template(template)
    return page.render(style=Markup(style), policy=policy, **content)  # noqa: S704 - ours


def decimal(value: float, digits: int) -> str:
    """A number with so many digits after the point, and a true minus sign."""
    written = f"{value:.{digits}f}"
    if float(written) == 0.0:
        written = written.removeprefix("-")
    return written.replace("-", MINUS)


def with_interval(metrics: Mapping[str, float], name: str) -> str:
    """A metric with its interval, where it has one.

    Parameters
    ----------
    metrics
        By flat name.
    name
        Of the metric; a baseline's with its prefix.

    Returns
    -------
    Such as `0.70 (0.65 to 0.75)`; a dash where it could not be measured.
    """
    if name not in metrics:
        return "\u2013"
    digits = digits_of(name)
    value = decimal(metrics[name], digits)
    if f"{name}_low" not in metrics or f"{name}_high" not in metrics:
        return value
    low, high = (decimal(metrics[f"{name}_{end}"], digits) for end in ("low", "high"))
    return text("validation.with_interval", value=value, low=low, high=high)


def digits_of(name: str) -> int:
    """How many digits after the point a metric has; two where the table of metrics lacks it."""
    for prefix in ("refitted_", "logistic_", "control_", "prior_", "either_", "which_limb_"):
        name = name.removeprefix(prefix)
    return 2 if name in _DIGITS else metric_named(name).digits


@cache
def _style() -> str:
    return files(__package__).joinpath("validation.css").read_text("utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__, "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.globals |= {"decimal": decimal, "plural": plural, "text": text, "variant": variant,
                            "with_interval": with_interval}  # fmt: skip
    return environment
