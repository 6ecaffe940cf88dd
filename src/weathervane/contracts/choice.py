"""Choice: one of a few words, told by name."""

from __future__ import annotations

from typing import TypeVar

from weathervane.contracts.errors import BadInput

Word = TypeVar("Word", bound=str)


def chosen(name: str, words: tuple[Word, ...], what: str) -> Word:
    """The word of that name; BadInput says what there is none of, and lists those there are."""
    for word in words:
        if word == name:
            return word
    raise BadInput(f"There is no {what} {name!r}.", f"choose one of {', '.join(words)}.")
