"""A fit that was stopped goes on from its last finished block, to the very draws it would have made."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from model.weekly_panels import weekly_panel
from weathervane.model.features.build import Panel
from weathervane.model.mmm import hierarchical
from weathervane.model.mmm.hierarchical import MediaMixFit, fit_media_mix
from weathervane.model.mmm.priors import Priors

SMALL = weekly_panel(2, 60, (1.5, 0.8), seed=3)
MANY_ROWS = weekly_panel(8, 190, (1.5, 0.8), seed=4)  # enough for the reduced basis


class Killed(Exception):
    """Stands in for the end of a process."""


@dataclass
class Memory:
    """Keeps bytes in a dictionary, and remembers what was asked of it."""

    known: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def load(self, name: str) -> bytes | None:
        return self.known.get(name)

    def save(self, name: str, data: bytes) -> None:
        self.known[name] = data


def killed_after(n_blocks: int, panel: Panel, memory: Memory, seed: int = 5) -> None:
    def progress(words: str) -> None:
        if words == f"drawing, block {n_blocks + 1}":
            raise Killed

    with pytest.raises(Killed):
        fit_media_mix(panel, Priors(), seed, progress, checkpoint=memory)


def same(one: MediaMixFit, other: MediaMixFit) -> bool:
    names = ("coordinates", "roi", "effect_by_geo", "modulation", "peak", "energy", "diverging")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


@pytest.mark.parametrize(("panel", "kills"), [(SMALL, (0, 1, 3)), (MANY_ROWS, (3,))], ids=["exact", "reduced basis"])
def test_a_fit_goes_on_to_the_same_draws(panel: Panel, kills: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    # So few draws a block never suffice at once.
    monkeypatch.setattr(hierarchical, "DRAWS", 40)
    whole, memory, heard = fit_media_mix(panel, Priors(), 5), Memory(), list[str]()
    for n_blocks in kills:
        killed_after(n_blocks, panel, memory)
    again = fit_media_mix(panel, Priors(), 5, heard.append, checkpoint=memory)
    assert same(whole, again)
    assert "Going on after block 3, which was kept." in heard
    assert next(words for words in heard if words.startswith("drawing")) == "drawing, block 4"
    # All of it is there now, so nothing is drawn.
    heard.clear()
    assert same(whole, fit_media_mix(panel, Priors(), 5, heard.append, checkpoint=memory))
    assert not [words for words in heard if words.startswith("drawing")]


def test_what_was_kept_of_another_fit_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hierarchical, "DRAWS", 110)
    memory = Memory()
    fit_media_mix(SMALL, Priors(), 5, checkpoint=memory)
    assert len(memory.known) == 2
    other_data = weekly_panel(2, 60, (1.5, 0.8), seed=30)
    for panel, seed, start in ((other_data, 5, None), (SMALL, 6, None), (SMALL, 5, np.full(16, 0.1))):
        heard: list[str] = []
        found = fit_media_mix(panel, Priors(), seed, heard.append, start=start, checkpoint=memory)
        assert not [words for words in heard if words.startswith("Going on")]
        assert same(found, fit_media_mix(panel, Priors(), seed, start=start))
    assert len(memory.known) == 8
