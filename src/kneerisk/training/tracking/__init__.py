"""Runs and registered versions in MLflow; the only room that knows MLflow.

A registered version is a logged model of MLflow whose artifacts are its bundle. One registered
model holds the versions of one outcome kind and horizon.
"""

from kneerisk.training.tracking.abandoned_runs import BUNDLE_SHA256
from kneerisk.training.tracking.monitoring_runs import Look
from kneerisk.training.tracking.naming import (
    ALIAS,
    BUNDLE,
    CARD,
    CHALLENGER,
    CHAMPION,
    EVALUATION,
    EXPERIMENTS,
    PLOTS,
    LoggedRun,
    Purpose,
    Version,
    registered_name,
)
from kneerisk.training.tracking.run import HELD_OUT, Run
from kneerisk.training.tracking.store_errors import TrackingFailed
from kneerisk.training.tracking.study_runs import StudyRuns, TrialRun
from kneerisk.training.tracking.tracking_store import (
    ARTIFACTS,
    DATABASE,
    Tracking,
    has_runs,
    require_store,
    tracking_uri,
)

__all__ = [
    "ALIAS",
    "ARTIFACTS",
    "BUNDLE",
    "BUNDLE_SHA256",
    "CARD",
    "CHALLENGER",
    "CHAMPION",
    "DATABASE",
    "EVALUATION",
    "EXPERIMENTS",
    "HELD_OUT",
    "PLOTS",
    "LoggedRun",
    "Look",
    "Purpose",
    "Run",
    "StudyRuns",
    "Tracking",
    "TrackingFailed",
    "TrialRun",
    "Version",
    "has_runs",
    "registered_name",
    "require_store",
    "tracking_uri",
]
