"""The service: a screening in, an answer per knee out.

A request passes `RequestValidation`, which refuses what is not sound; its row in the table of
routes says which function answers it, with the champion's bundle.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
from typing import Any

import bentoml
from bentoml._internal.log import configure_server_logging
from starlette.types import ASGIApp
from uvicorn.config import STARTUP_FAILURE

from serving import sheet_import
from serving.access import Access
from serving.capacity import ANSWER_SECONDS, LARGE_ANSWER_SECONDS
from serving.champion_holder import ChampionHolder, models_folder
from serving.cross_origin import CrossOrigin
from serving.fhir_routes import served_routes
from serving.json_log import format_log
from serving.monitoring import LOGGER, Metrics, redact_logs
from serving.registration import predictions, web_application
from serving.request_validation import BODY_SECONDS, RequestValidation

#: How long a thread holds the interpreter where another wants it; Python's own is 5 ms.
_SWITCH_SECONDS = 0.001
#: After the supervisor's death a worker ends its requests, for no longer than this (assumption).
_ORPHAN_SECONDS = 10.0

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
    envs=[
        {"name": "BENTOML_DO_NOT_TRACK", "value": "True"},
        # One request is too small to share among threads; they would fight over the cores.
        {"name": "OMP_NUM_THREADS", "value": "1"},
        # Nothing exports the spans.
        {"name": "OTEL_SDK_DISABLED", "value": "true"},
    ],
)
@bentoml.asgi_app(web_application(routes, champion, metrics), path="/")
@predictions(routes, champion, metrics)
class KneeRisk:
    """Risk of knee pain and the likely muscle imbalance, per knee, from screening measures."""

    def __init__(self) -> None:
        redact_logs()
        format_log()
        sheet_import.prepare()
        champion.start(models_folder(KneeRisk))
        _keep_from_collector()

    @bentoml.on_shutdown
    def close(self) -> None:
        """Stop watching for the next champion."""
        champion.stop()


# The decorator made it a `bentoml.Service`, which mypy does not see. The first one is outermost.
if origins := Access.from_environment().origins:
    KneeRisk.add_asgi_middleware(CrossOrigin, origins=origins)  # type: ignore[attr-defined]
KneeRisk.add_asgi_middleware(  # type: ignore[attr-defined]
    RequestValidation, routes=routes, champion=champion, metrics=metrics
)


def application() -> ASGIApp:
    """Make the application: uvicorn calls this once in each worker.

    Ends the process with uvicorn's code for a failed start where it can't be made, so that the
    supervisor does not try for ever.
    """
    configure_server_logging()
    format_log()
    # Predictions on the event loop wait less for a large request in a thread.
    sys.setswitchinterval(_SWITCH_SECONDS)
    end_with_supervisor()
    try:
        return KneeRisk.to_asgi()  # type: ignore[attr-defined, no-any-return]
    except Exception:  # noqa: BLE001 - whatever it is, the supervisor has to know
        LOGGER.exception("the service can't start")
        sys.exit(STARTUP_FAILURE)


def _keep_from_collector() -> None:
    """Take what exists now for good: modules, schema and tables, some 240,000 objects.

    Each full collection would look at all of them, 150 ms during which no request is answered, and
    a large team causes dozens.
    """
    gc.collect()
    gc.freeze()


def end_with_supervisor() -> None:
    """End this process when its supervisor is gone, however that ended."""
    supervisor = multiprocessing.parent_process()
    if supervisor is not None:
        threading.Thread(target=_end_after, args=(supervisor,), daemon=True).start()


def _end_after(supervisor: Any) -> None:
    supervisor.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_ORPHAN_SECONDS)
    os._exit(1)
