"""The model that the service answers with: loaded at the start, swapped while it runs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple

import bentoml

from kneerisk.errors import KneeriskError
from kneerisk.model import champion
from kneerisk.model.bundle import Bundle, load
from kneerisk.schema.measures_file import read_measures_file
from kneerisk.schema.own_measures import NO_OWN_MEASURES, OwnMeasures
from kneerisk.words import text
from serving.monitoring import LOGGER, Metrics

#: What the champion is called in BentoML's store.
MODEL_NAME = "kneerisk_champion"

POLL_SECONDS = 2.0
#: A refused bundle may be one that is still being copied, so it is tried again after a while.
RETRY_SECONDS = 20.0


class Champion(NamedTuple):
    """A bundle, and the own measures that bodies may hold: its own, and those of the service."""

    bundle: Bundle | None
    own: OwnMeasures


_OF_THE_REQUEST: ContextVar[Champion | None] = ContextVar("champion", default=None)


class ChampionHolder:
    """Holds the champion's bundle; never goes back to none once it has one.

    It is replaced in one step. A request takes it once (`for_request`), with the measures that it
    knows, and so is read and answered by one model from its start to its end.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._own = NO_OWN_MEASURES
        self.served = Champion(None, NO_OWN_MEASURES)
        self._metrics = metrics
        self._current: tuple[str, str] | None = None
        self._refused: tuple[str, str] | None = None
        self._retry_at = 0.0
        self._last_reason = ""
        self._stopped = Event()

    @property
    def bundle(self) -> Bundle | None:
        """The bundle of the request, or the newest where none is being served."""
        return (_OF_THE_REQUEST.get() or self.served).bundle

    @contextmanager
    def for_request(self) -> Iterator[None]:
        """Answer one request with one bundle, its own measures part of the schema."""
        served = self.served
        before = _OF_THE_REQUEST.set(served)
        try:
            with served.own.in_force():
                yield
        finally:
            _OF_THE_REQUEST.reset(before)

    def current(self) -> Bundle:
        """The bundle to answer with; request validation refuses requests before there is one."""
        if (bundle := self.bundle) is None:
            raise RuntimeError("no champion is loaded")
        return bundle

    def start(self, models: Path) -> None:
        """Load the champion of a models folder, if there is one, and watch for the next.

        Measures of ``$KNEERISK_MEASURES`` that the champion does not know are accepted in a body,
        and reported as unknown to the model.
        """
        if measures := os.environ.get("KNEERISK_MEASURES"):
            self._own = read_measures_file(Path(measures))
            self.served = Champion(None, self._own)
        self._stopped.clear()
        self.refresh(models)
        Thread(target=self._watch, args=(models,), name="champion", daemon=True).start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopped.set()

    def refresh(self, models: Path) -> None:
        """Check once; swap if champion.json names another one and its bundle is sound."""
        try:
            self._swap(models)
        except (KneeriskError, OSError) as error:
            self._report(str(error))
        except Exception as error:  # noqa: BLE001 - the watcher must outlive any bad bundle
            self._report(text("service.champion.unexpected", error=type(error).__name__))

    def _swap(self, models: Path) -> None:
        pointer = champion.read(models)
        if pointer is None:
            self._report(text("service.champion.none"))
            return
        release = (pointer.version, pointer.sha256)
        if release == self._current:
            self._refused, self._last_reason = None, ""
            return
        if release == self._refused and time.monotonic() < self._retry_at:
            return
        self._refused, self._retry_at = release, time.monotonic() + RETRY_SECONDS
        bundle = load(pointer.folder, pointer.sha256)
        self.served = Champion(bundle, bundle.model.own.beside(self._own))
        self._current, self._refused, self._last_reason = release, None, ""
        self._metrics.champion("loaded")
        LOGGER.info("serving champion %s", pointer.version)

    def _report(self, reason: str) -> None:
        if reason == self._last_reason:
            return
        self._last_reason = reason
        self._metrics.champion("refused")
        state = (
            text("service.champion.keeping", version=self._current[0])
            if self._current
            else text("service.champion.not_ready")
        )
        LOGGER.warning("no new champion, %s: %s", state, reason)

    def _watch(self, models: Path) -> None:
        while not self._stopped.wait(POLL_SECONDS):
            self.refresh(models)


def models_folder(service: bentoml.Service[Any]) -> Path:
    """The folder of released models: from ``$KNEERISK_MODELS``, the bento, or ``models`` here."""
    from_environment = os.environ.get("KNEERISK_MODELS")
    if from_environment:
        return Path(from_environment)
    if service.bento is not None:
        bento_models = service.bento.info.all_models
        return Path(bentoml.models.get(bento_models[0].tag).path)
    return Path("models")
