"""Every text that people read, in one catalogue that a translation could replace."""

from kneerisk.words.catalogue import plural, section, text, variant

__all__ = ["plural", "section", "text", "variant"]
