"""MLflow's own page as `kneerisk ui` serves it: open on trained models, without its assistant.

MLflow starts an application by the name of an entry point (`mlflow server --app-name kneerisk`);
this one is MLflow's own with three changes. Its first address leads to the runs of `kneerisk
train`. The assistant, which runs commands on this machine for whoever opens the page, is not
there. A browser that has not chosen otherwise sees the pages of trained models, not those of
language models.
"""

from __future__ import annotations

import json
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from kneerisk.training.tracking.naming import EXPERIMENTS, TRAINED_MODELS
from kneerisk.training.tracking.shared_views import FIRST_VIEW, view_address

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: The name of the entry point.
APP_NAME = "kneerisk"
#: What MLflow's assistant is reached by; it can run commands of a shell (MLflow 3.17).
_ASSISTANT = "/ajax-api/3.0/mlflow/assistant"
_EXPERIMENT_BY_NAME = "/ajax-api/2.0/mlflow/experiments/get-by-name?experiment_name="
#: Before MLflow's own scripts: what the page keeps in the browser, where nobody has chosen yet, and
#: where it starts. `_v1` is MLflow's own ending of its keys.
_START = Template(
    files(__package__).joinpath("mlflow_start.html").read_text("utf-8")
).substitute(
    kept=json.dumps({
        "mlflow.workflowType_v1": "machine_learning",
        "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": True,
        "mlflow.assistant.panelOpen_v1": False,
    }),
    experiment=json.dumps(_EXPERIMENT_BY_NAME + EXPERIMENTS["train"]),
    view=json.dumps(view_address("EXPERIMENT", FIRST_VIEW).removeprefix("/")),
    experiments=json.dumps(f"#/experiments?{TRAINED_MODELS}"),
)  # fmt: skip


def app() -> ASGIApp:
    """The application that `mlflow server --app-name kneerisk` serves."""
    from mlflow.server.fastapi_app import app as mlflow_app

    return _TrainedModelsFirst(mlflow_app)


class _TrainedModelsFirst:
    """MLflow's application, its first page begun differently and its assistant left out."""

    def __init__(self, mlflow_app: ASGIApp) -> None:
        self._mlflow = mlflow_app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        from starlette.responses import Response

        if scope["type"] == "http" and scope["path"].startswith(_ASSISTANT):
            await Response(status_code=404)(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == "/":
            # An answer that a browser keeps would be one without our beginning.
            conditional = (b"if-none-match", b"if-modified-since")
            headers = [item for item in scope["headers"] if item[0] not in conditional]
            page = _BegunPage(send)
            await self._mlflow({**scope, "headers": headers}, receive, page.send)
        else:
            await self._mlflow(scope, receive, send)


class _BegunPage:
    """Passes MLflow's page on with our beginning in its head; any other answer as it is."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        """Take a part of the answer; it is sent when it is whole."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body") or self._start is None:
            return
        body = self._body.replace(b"<head>", b"<head>" + _START.encode(), 1)
        changed = (b"content-length", b"etag", b"last-modified", b"cache-control")
        headers = [item for item in self._start["headers"] if item[0].lower() not in changed]
        headers += [(b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store")]
        await self._send({**self._start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})
