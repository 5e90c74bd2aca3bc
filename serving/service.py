"""The service: a screening in, an answer per knee out.

A request passes `RequestValidation`, which refuses what is not sound; its row in the table of
routes says which function answers it, with the champion's bundle.
"""

from __future__ import annotations

import bentoml
from starlette.middleware.cors import CORSMiddleware

from serving import import_process
from serving.access import Access
from serving.champion_holder import ChampionHolder, models_folder
from serving.logs import redact_logs
from serving.prometheus import Metrics
from serving.registration import predictions, web_application
from serving.request_validation import RequestValidation
from serving.routes import ROUTES

metrics = Metrics()
champion = ChampionHolder(metrics)


@bentoml.service(
    name="KneeRisk",
    workers=2,
    threads=4,
    # Ours instead: BentoML's log and metrics repeat whatever path a client makes up.
    logging={"access": {"enabled": False}},
    metrics={"enabled": False},
    envs=[
        {"name": "BENTOML_DO_NOT_TRACK", "value": "True"},
        # One request is too small to share among threads; they would fight over the cores.
        {"name": "OMP_NUM_THREADS", "value": "1"},
    ],
)
@bentoml.asgi_app(web_application(ROUTES, champion, metrics), path="/")
@predictions(ROUTES, champion, metrics)
class KneeRisk:
    """Risk of knee pain and the likely muscle imbalance, per knee, from screening measures."""

    def __init__(self) -> None:
        redact_logs()
        import_process.prepare()
        champion.start(models_folder(KneeRisk))

    @bentoml.on_shutdown
    def close(self) -> None:
        """Stop watching for the next champion."""
        champion.stop()


# The decorator made it a `bentoml.Service`, which mypy does not see. The first one is outermost:
# a browser shows a problem to a page of another site only with the headers of CORS on it.
if origins := Access.from_environment().origins:
    KneeRisk.add_asgi_middleware(  # type: ignore[attr-defined]
        CORSMiddleware,
        allow_origins=sorted(origins),
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type"],
        expose_headers=["x-request-id"],
    )
KneeRisk.add_asgi_middleware(  # type: ignore[attr-defined]
    RequestValidation, routes=ROUTES, champion=champion, metrics=metrics
)
