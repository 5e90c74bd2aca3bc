"""What is fitted: from coded columns of screenings to risks, and the bundle that keeps it."""

from kneerisk.model.bundle import Bundle, load, save
from kneerisk.model.metadata import Metadata
from kneerisk.model.prediction import Prediction
from kneerisk.model.risk_model import RiskModel

__all__ = ["Bundle", "Metadata", "Prediction", "RiskModel", "load", "save"]
