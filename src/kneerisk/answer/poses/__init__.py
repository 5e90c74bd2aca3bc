"""How exercises and tests are done: poses as joint angles, and the drawings made from them."""

from kneerisk.answer.poses.figure import drawing, sprite
from kneerisk.answer.poses.pose import poses

__all__ = ["drawing", "poses", "sprite"]
