"""Where the data leave open whether a channel's effect changes with the weather (mmm.md, "Weather modulation")."""

from __future__ import annotations

import numpy as np

from weathervane.contracts.figures import channel_name
from weathervane.model.mmm.hierarchical import MediaMixFit

LEFT = 0.9  # of the prior's spread; where more is left, what is said of the modulation is the prior's


def modulation_doubts(fit: MediaMixFit) -> tuple[str, ...]:
    """A sentence on the channels of which the data do not say how their effect changes with temperature or wetness.

    They do not where the posterior keeps nine tenths of the prior's spread. An index that is normal throughout is not
    known here, which the panel's notes say; where rain alone is not known, that is said first.
    """
    c = len(fit.channels)
    prior_sd = np.asarray(fit.data.prior_sd)[-len(fit.form.modulated) :]
    known = np.asarray(fit.data.weather).any(axis=(1, 2))
    draws = np.concatenate([fit.modulation, fit.wet_modulation[:, list(fit.form.modulated[c:])]], axis=1)
    open_ = known & (draws.std(axis=0) >= LEFT * prior_sd)
    left: dict[int, list[str]] = {}
    for column, channel in enumerate(fit.form.modulated):
        if open_[column]:
            left.setdefault(channel, []).append("warmer" if column < c else "wetter")
    alike: dict[str, list[str]] = {}  # kinds of weather -> channels
    for channel, kinds in sorted(left.items()):
        alike.setdefault(" or ".join(kinds), []).append(channel_name(fit.channels[channel]))
    dry = int((~fit.design.wet.any(axis=1)).sum()) if len(fit.form.modulated) > c else 0
    unknown = (f"Rain is not known in {dry} of {len(fit.geos)} places; theirs is taken as normal.",) if dry else ()
    return unknown + tuple(
        f"Whether ads work better or worse in {kinds} weather, the data cannot tell of {', '.join(names)}: spend "
        "varies too little in like weather for how much sales scatter."
        for kinds, names in alike.items()
    )
