"""What printed pages share: templates, a style sheet, and a policy that lets nothing else in.

A page to print is one HTML document that asks for nothing and runs nothing.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from kneerisk.words import text, variant


def templates(package: str) -> Environment:
    """The templates of a package, which escape what they are given but in Markdown.

    A name that they don't know is an error.
    """
    environment = Environment(
        loader=PackageLoader(package, "."),
        autoescape=select_autoescape(disabled_extensions=("md.j2",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"text": text, "variant": variant}
    return environment


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
