"""The model that the service answers with: loaded at the start, swapped while it runs."""

from __future__ import annotations

import os
import time
from pathlib import Path
from threading import Event, Thread
from typing import Any

import bentoml

from kneerisk.errors import KneeriskError
from kneerisk.model import champion
from kneerisk.model.bundle import Bundle, load
from serving.logs import LOGGER
from serving.prometheus import Metrics

#: What the champion is called in BentoML's store.
MODEL_NAME = "kneerisk_champion"

POLL_SECONDS = 2.0
#: A refused bundle may be one that is still being copied, so it is tried again, but seldom.
RETRY_SECONDS = 20.0


class ChampionHolder:
    """Holds the champion's bundle; never goes back to none once it has one.

    `bundle` is replaced in one step. A request takes it once, and so uses one model from its
    start to its end.
    """

    def __init__(self, metrics: Metrics) -> None:
        self.bundle: Bundle | None = None
        self._metrics = metrics
        self._serving: tuple[str, str] | None = None
        self._refused: tuple[str, str] | None = None
        self._retry_at = 0.0
        self._told = ""
        self._stopped = Event()

    def current(self) -> Bundle:
        """The bundle to answer with; the door lets nobody in before there is one."""
        if self.bundle is None:
            raise RuntimeError("no champion is loaded")
        return self.bundle

    def start(self, models: Path) -> None:
        """Load the champion of a models folder, if there is one, and watch for the next."""
        self._stopped.clear()
        self.refresh(models)
        Thread(target=self._watch, args=(models,), name="champion", daemon=True).start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopped.set()

    def refresh(self, models: Path) -> None:
        """Look once; swap if another champion is named and its bundle is sound."""
        try:
            self._swap(models)
        except (KneeriskError, OSError) as error:
            self._keep(str(error))
        except Exception as error:  # noqa: BLE001 - the watcher must outlive any bad bundle
            self._keep(f"unexpected {type(error).__name__}")

    def _swap(self, models: Path) -> None:
        named = champion.read(models)
        if named is None:
            self._keep("the models folder names no champion")
            return
        release = (named.version, named.sha256)
        if release == self._serving:
            self._refused, self._told = None, ""
            return
        if release == self._refused and time.monotonic() < self._retry_at:
            return
        self._refused, self._retry_at = release, time.monotonic() + RETRY_SECONDS
        self.bundle = load(named.folder, named.sha256)
        self._serving, self._refused, self._told = release, None, ""
        self._metrics.champion("loaded")
        LOGGER.info("serving champion %s", named.version)

    def _keep(self, reason: str) -> None:
        if reason == self._told:
            return
        self._told = reason
        self._metrics.champion("refused")
        still = f"keeping {self._serving[0]}" if self._serving else "not ready"
        LOGGER.warning("no new champion, %s: %s", still, reason)

    def _watch(self, models: Path) -> None:
        while not self._stopped.wait(POLL_SECONDS):
            self.refresh(models)


def models_folder(service: bentoml.Service[Any]) -> Path:
    """Where released models are: as the environment says, in the bento, or ``models`` here."""
    given = os.environ.get("KNEERISK_MODELS")
    if given:
        return Path(given)
    if service.bento is not None:
        packed = service.bento.info.all_models
        return Path(bentoml.models.get(packed[0].tag).path)
    return Path("models")
