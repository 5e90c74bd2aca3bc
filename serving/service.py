"""The service: a screening in, an answer per knee out.

A request comes through `Door`, which refuses what is unsound; BentoML makes it a `Screening`; the
champion's bundle answers it.
"""

from __future__ import annotations

from typing import Any

import bentoml
from pydantic import BaseModel
from starlette.responses import Response

from kneerisk.answer import Answer, answer
from kneerisk.schema import Screening
from serving.champion import ChampionHolder, models_folder
from serving.logs import keep_values_out
from serving.metrics import Metrics
from serving.middleware import Door
from serving.pages import pages
from serving.team import Team, TeamAnswer, answer_team

metrics = Metrics()
champion = ChampionHolder(metrics)


class Body(Screening):
    """A screening whose rules BentoML need not describe: it can't, and ours is served instead.

    A class, as BentoML makes the schema of an annotated type anew for each request.
    """

    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        """Any object."""
        return {"type": "object", "title": "Screening"}


@bentoml.service(
    name="KneeRisk",
    workers=2,
    threads=4,
    # Ours instead: BentoML's log and count whatever path a client makes up.
    logging={"access": {"enabled": False}},
    metrics={"enabled": False},
    envs=[
        {"name": "BENTOML_DO_NOT_TRACK", "value": "True"},
        # One request is too small to share among threads; they would fight over the cores.
        {"name": "OMP_NUM_THREADS", "value": "1"},
    ],
)
@bentoml.asgi_app(pages(champion, metrics), path="/")
class KneeRisk:
    """Risk of knee pain and the likely muscle imbalance, per knee, from screening measures."""

    def __init__(self) -> None:
        keep_values_out()
        champion.start(models_folder(KneeRisk))

    @bentoml.on_shutdown
    def close(self) -> None:
        """Stop looking for the next champion."""
        champion.stop()

    @bentoml.api(route="/v1/predict", output_spec=Answer)
    async def predict(self, screening: Body, /) -> Response:
        """Answer one screening."""
        # On the event loop: a few milliseconds of Python gain nothing from a thread of their own,
        # which would fight with the loop over the interpreter's lock.
        bundle = champion.current()
        found = answer(bundle, screening)
        metrics.answered(bundle.facts.version)
        return _json(found)

    @bentoml.api(route="/v1/predict_team", output_spec=TeamAnswer)
    def predict_team(self, team: Team, /) -> Response:
        """Answer the good screenings of a team and name the faults of the others."""
        bundle = champion.current()
        found = answer_team(bundle, team)
        metrics.answered(bundle.facts.version, len(found.results))
        return _json(found)


def _json(found: BaseModel) -> Response:
    # What is not known is absent, not null; a value of the wrong kind is a mistake, not a warning.
    text = found.model_dump_json(exclude_none=True, warnings="error")
    return Response(text, media_type="application/json")


# The decorator made it a `bentoml.Service`, which mypy is not told.
KneeRisk.add_asgi_middleware(Door, champion=champion, metrics=metrics)  # type: ignore[attr-defined]
