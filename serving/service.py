"""The service: a screening in, an answer per knee out.

A request passes `RequestValidation`, which refuses what is not sound; its row in the table of
routes says which function answers it, with the champion's bundle.
"""

from __future__ import annotations

from threading import Thread

import bentoml

from serving.access import Access
from serving.capacity import ANSWER_SECONDS, LARGE_ANSWER_SECONDS
from serving.champion_holder import ChampionHolder, models_folder
from serving.cross_origin import CrossOrigin
from serving.json_log import format_log
from serving.monitoring import Metrics, redact_logs
from serving.registration import predictions, web_application
from serving.request_validation import BODY_SECONDS, RequestValidation
from serving.routes import served_routes
from serving.team_endpoint import results_of
from serving.team_shares import take_shares
from serving.warm_up import warm_up

routes = served_routes()
metrics = Metrics()
champion = ChampionHolder(metrics)


@bentoml.service(
    name="KneeRisk",
    workers=2,
    threads=4,
    # Once our own limits, which answer with a problem, are over: the body arrives, waits for its
    # turn and is answered.
    traffic={"timeout": BODY_SECONDS + ANSWER_SECONDS + LARGE_ANSWER_SECONDS + 5},
    # Ours instead: BentoML's log and metrics repeat whatever path a client makes up.
    logging={"access": {"enabled": False}},
    metrics={"enabled": False},
    # `serving.tracing` makes the spans that a collector is sent; BentoML's would go nowhere, and
    # take a sixth of what a request takes besides its answer.
    tracing={"excluded_urls": [".*"]},
    envs=[
        {"name": "BENTOML_DO_NOT_TRACK", "value": "True"},
        # One request is too small to share among threads; they would fight over the cores.
        {"name": "OMP_NUM_THREADS", "value": "1"},
    ],
)
@bentoml.asgi_app(web_application(routes, champion, metrics), path="/")
@predictions(routes, champion, metrics)
class KneeRisk:
    """Risk of knee pain and the likely muscle imbalance, per knee, from screening measures."""

    def __init__(self) -> None:
        redact_logs()
        format_log()
        champion.start(models_folder(KneeRisk))
        take_shares(champion, results_of)
        self._warming = Thread(target=warm_up, name="warm-up", daemon=True)
        self._warming.start()

    @bentoml.on_shutdown
    def close(self) -> None:
        """Stop watching for the next champion."""
        champion.stop()
        self._warming.join()


# The decorator made it a `bentoml.Service`, which mypy does not see. The first one is outermost.
if origins := Access.from_environment().origins:
    KneeRisk.add_asgi_middleware(CrossOrigin, origins=origins)  # type: ignore[attr-defined]
KneeRisk.add_asgi_middleware(  # type: ignore[attr-defined]
    RequestValidation, routes=routes, champion=champion, metrics=metrics
)
