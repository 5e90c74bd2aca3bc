"""Runs and registered versions in MLflow; the only room that knows MLflow.

A registered version points at the bundle among its run's artifacts. One registered model holds
the versions of one outcome kind and horizon.
"""

from kneerisk.training.tracking.connection import ARTIFACTS, DATABASE, TrackingFailed, tracking_uri
from kneerisk.training.tracking.names import (
    BUNDLE,
    CARD,
    CHALLENGER,
    CHAMPION,
    EXPERIMENTS,
    Purpose,
    Version,
    registered_name,
)
from kneerisk.training.tracking.run import Run
from kneerisk.training.tracking.store import Tracking

__all__ = [
    "ARTIFACTS",
    "BUNDLE",
    "CARD",
    "CHALLENGER",
    "CHAMPION",
    "DATABASE",
    "EXPERIMENTS",
    "Purpose",
    "Run",
    "Tracking",
    "TrackingFailed",
    "Version",
    "registered_name",
    "tracking_uri",
]
