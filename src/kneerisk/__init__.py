"""Risk of knee pain and the likely muscle imbalance, per knee, from screening measures."""

__version__ = "0.1.0"
