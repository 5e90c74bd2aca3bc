"""Every text that people read, in one catalogue that a translation could replace."""

from kneerisk.words.catalogue import in_sentence, listed, plural, section, short, text, variant

__all__ = ["in_sentence", "listed", "plural", "section", "short", "text", "variant"]
