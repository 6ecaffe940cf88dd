"""Choice: one of a few words, told by name."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import TypeVar

from weathervane.contracts.errors import BadInput

Word = TypeVar("Word", bound=str)


def chosen(name: str, words: tuple[Word, ...], what: str) -> Word:
    """The word of that name; BadInput says what there is none of, and lists those there are."""
    for word in words:
        if word == name:
            return word
    raise BadInput(f"There is no {what} {name!r}.", f"choose one of {', '.join(words)}.")


def known_name(name: str, known: Sequence[str], what: str) -> str:
    """The name itself where it is known; BadInput names the nearest of those there are, and says how many more."""
    if name in known:
        return name
    near = nearest_names(name, known)
    more = f" and {len(known) - len(near)} more" if len(known) > len(near) else ""
    if not known:
        raise BadInput(f"There is no {what} {name!r}.", f"no {what} is known yet: import data first.")
    raise BadInput(f"There is no {what} {name!r}.", f"choose one of {', '.join(near)}{more}.")


def nearest_names(name: str, known: Sequence[str], most: int = 5) -> list[str]:
    """The known names, the most alike first: those that begin alike, then by how much of the letters they share."""

    def unlike(other: str) -> tuple[bool, float, str]:
        a, b = name.lower(), other.lower()
        return not (b.startswith(a) or a.startswith(b)), -SequenceMatcher(None, a, b).ratio(), other

    return sorted(known, key=unlike)[:most]
