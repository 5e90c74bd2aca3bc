"""A printed page's own style sheet, and the Content-Security-Policy that lets nothing else in."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

from markupsafe import Markup


@cache
def style_of(package: str, name: str) -> Markup:
    """A style sheet of the package, as it stands inside the page's HTML."""
    return Markup(files(package).joinpath(name).read_text("utf-8"))  # noqa: S704 - ours


def source(style: Markup) -> str:
    """The style sheet as a source of a policy: by its hash."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"


def directives(style: Markup) -> str:
    """The policy that the page states itself: its own style, nothing else."""
    return f"default-src 'none'; style-src {source(style)}; base-uri 'none'; form-action 'none'"


def content_policy(style: Markup) -> str:
    """The same as a header, which can also say who may frame it."""
    return f"{directives(style)}; frame-ancestors 'self'"
