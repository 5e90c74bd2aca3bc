"""The card of a version: what it is, how good it is, and what it must not be used for.

One Markdown text, made from the facts of the version alone. It answers every item of TRIPOD+AI,
also those that nothing was done about.
"""

from kneerisk.training.card.card_context import About
from kneerisk.training.card.model_card import NOTICE, card

__all__ = ["NOTICE", "About", "card"]
