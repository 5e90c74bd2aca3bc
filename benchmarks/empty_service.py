"""A BentoML service that computes nothing: what the framework itself costs.

A module of its own, so that nothing else imports BentoML for it.
"""

from __future__ import annotations

from typing import Any

import bentoml


@bentoml.service(
    name="Empty", threads=4, logging={"access": {"enabled": False}}, metrics={"enabled": False}
)
class Empty:
    """Answers any JSON object with an empty one."""

    @bentoml.api(route="/empty")
    def empty(self, body: dict[str, Any], /) -> dict[str, Any]:  # noqa: ARG002
        """Return an empty object."""
        return {}
