"""The service: a screening in, an answer per knee out.

A request comes through `Door`, which refuses what is unsound; BentoML makes it a `Screening`, or
what else is asked; the champion's bundle answers it.
"""

from __future__ import annotations

import bentoml
from pydantic import BaseModel
from starlette.responses import Response

from kneerisk.answer import Answer, answer
from kneerisk.answer.follow_up import FollowUpAnswer, follow_up
from kneerisk.answer.report import content_policy, report_html
from kneerisk.answer.what_if import WhatIfAnswer, what_if
from kneerisk.errors import ScreeningRefused
from serving.body_schemas import FollowUpBody, ScreeningBody, WhatIfBody
from serving.champion_holder import ChampionHolder, models_folder
from serving.documents import pages
from serving.logs import keep_values_out
from serving.middleware import Door
from serving.problem import invalid_body, refused_with
from serving.prometheus import Metrics
from serving.team import Team, TeamAnswer, answer_team

metrics = Metrics()
champion = ChampionHolder(metrics)


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
    async def predict(self, screening: ScreeningBody, /) -> Response:
        """Answer one screening."""
        # On the event loop: a few milliseconds of Python gain nothing from a thread of their own,
        # which would fight with the loop over the interpreter's lock.
        bundle = champion.current()
        found = answer(bundle, screening)
        metrics.answered(bundle.metadata.version)
        return _json(found)

    @bentoml.api(route="/v1/predict_team", output_spec=TeamAnswer)
    def predict_team(self, team: Team, /) -> Response:
        """Answer the good screenings of a team and name the faults of the others."""
        bundle = champion.current()
        found = answer_team(bundle, team)
        metrics.answered(bundle.metadata.version, len(found.results))
        return _json(found)

    @bentoml.api(route="/v1/what_if", output_spec=WhatIfAnswer)
    async def what_if(self, asked: WhatIfBody, /) -> Response:
        """Answer a screening with other values of some of its measures."""
        bundle = champion.current()
        try:
            found = what_if(bundle, asked)
        except ScreeningRefused as refused:
            # What the champion has seen is not known at the door.
            return refused_with(invalid_body(refused.faults))
        metrics.answered(bundle.metadata.version)
        return _json(found)

    @bentoml.api(route="/v1/follow_up", output_spec=FollowUpAnswer)
    def follow_up(self, asked: FollowUpBody, /) -> Response:
        """Compare the visits of one athlete."""
        bundle = champion.current()
        found = follow_up(bundle, asked)
        metrics.answered(bundle.metadata.version, len(asked.visits))
        return _json(found)

    @bentoml.api(route="/v1/report", output_spec=Answer)
    async def report(self, screening: ScreeningBody, /) -> Response:
        """Answer one screening as a page to print."""
        bundle = champion.current()
        page = report_html(answer(bundle, screening), screening)
        metrics.answered(bundle.metadata.version)
        policy = {"content-security-policy": content_policy()}
        return Response(page, media_type="text/html", headers=policy)


def _json(found: BaseModel) -> Response:
    # What is not known is absent, not null; a value of the wrong kind is a mistake, not a warning.
    text = found.model_dump_json(exclude_none=True, warnings="error")
    return Response(text, media_type="application/json")


# The decorator made it a `bentoml.Service`, which mypy is not told.
KneeRisk.add_asgi_middleware(Door, champion=champion, metrics=metrics)  # type: ignore[attr-defined]
