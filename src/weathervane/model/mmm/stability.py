"""The model as its data came in: how returns moved, and what an old plan would now lose (mmm.md, "Stability")."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.errors import NotEnoughData
from weathervane.contracts.examination import ChannelStability, Range, Stability
from weathervane.contracts.experiment import LiftResult
from weathervane.contracts.figures import amount, channel_name, ratio, step_of
from weathervane.contracts.response import ResponseCurves
from weathervane.model.features.build import Panel
from weathervane.model.mmm.curves import response_curves
from weathervane.model.mmm.decomposition import interval
from weathervane.model.mmm.drift import LATELY_WEEKS, recent_change
from weathervane.model.mmm.hierarchical import MediaMixFit, Progress, fit_media_mix
from weathervane.model.mmm.prepare import MIN_WEEKS
from weathervane.model.mmm.priors import Priors
from weathervane.model.mmm.reallocation import best_budget, regret

Floats = NDArray[np.float64]

ENDS, EVERY_WEEKS = 4, 4
MOVED = 1.0  # sd of the oldest fit; nested data move a mean by about a third of that in twelve weeks
DRIFTED = 2.58  # sd from nothing: once in a hundred stable channels


def rolling_stability(
    panel: Panel,
    priors: Priors,
    fit: MediaMixFit,
    seed: int,
    *,
    unit: str,
    experiments: tuple[LiftResult, ...] = (),
    progress: Progress = lambda _: None,
) -> Stability:
    """Refits at four ends, four weeks apart, the last of them `fit` itself; three fits.

    A channel is stable when its mean return never moved by more than one standard deviation of the oldest fit between
    any two ends, and its return of the last quarter is not told from that of before. An experiment counts from the end
    that holds all its days. Raises NotEnoughData where not one earlier end has 26 weeks, and what fitting raises.
    """
    ends = earlier_ends(panel)
    fits: list[MediaMixFit] = []
    for i, end in enumerate(ends):
        progress(f"fitting as of {end.through}, {i + 1} of {len(ends)}")
        known = tuple(each for each in experiments if each.window.end <= end.through)
        fits.append(fit_media_mix(end, priors, seed, start=fit.peak, experiments=known))
    fits.append(fit)
    through = (*(end.through for end in ends), panel.through)
    since = [f"{day + timedelta(days=1)}" for day in through[:-1]]
    paid = [c for c in range(len(fit.channels)) if fit.design.spend_share[c] > 0]
    lately = recent_change(fit, seed)
    channels = tuple(_of_channel(fit.channels[c], [each.roi[:, c] for each in fits], lately[:, c], since) for c in paid)
    newest = response_curves(fit, "newest")
    lost = split_regret(response_curves(fits[0], "oldest"), newest)
    moved = [channel_name(each.channel) for each in channels if not each.stable]
    said = f"The return of {', '.join(moved)} changed" if moved else "No channel's return moved by more than its doubt"
    return Stability(
        ends=through,
        channels=channels,
        regret=interval(lost),
        sentence=f"{said} over {len(fits)} ends.{_gained(fits)} {_regret_sentence(lost, through[0].isoformat(), unit)}",
    )


def _gained(fits: list[MediaMixFit]) -> str:
    """A sentence where longer history gave the newest fit columns that the oldest had not."""
    gained = [name for name in fits[-1].design.columns if name not in fits[0].design.columns]
    if not gained:
        return ""
    return f" The baseline gained {len(gained)} columns on the way ({gained[0]}, …), which moves returns too."


def split_regret(oldest: ResponseCurves, newest: ResponseCurves) -> Floats:
    """Draws of outcome a week that today's budget split by the oldest curves loses against its split by the newest."""
    # Both split what is spent now: the spend of then would compare two budgets and not two beliefs.
    then = replace(oldest, spend_recent=newest.spend_recent.copy())
    return regret(newest, best_budget(then), best_budget(newest))


def earlier_ends(panel: Panel) -> tuple[Panel, ...]:
    """The panel as it was at up to three earlier ends, four weeks apart, oldest first."""
    step = EVERY_WEEKS * 7 // panel.step_days
    least = -(-MIN_WEEKS * 7 // panel.step_days)
    lengths = [panel.n_past - i * step for i in range(ENDS - 1, 0, -1)]
    ends = tuple(replace(panel, n_past=n) for n in lengths if n >= least)
    if not ends:
        raise NotEnoughData(
            f"{MIN_WEEKS + EVERY_WEEKS} weeks are needed to see whether returns are stable.", "import more history."
        )
    return ends


def _of_channel(channel: str, roi: list[Floats], lately: Floats, since: list[str]) -> ChannelStability:
    """`roi` and `lately` hold draws, `roi` by end; `since` the first day of what each later end added."""
    ranges = tuple(interval(draws) for draws in roi)
    means = np.array([draws.mean() for draws in roi])
    sd = np.array([draws.std() for draws in roi])
    moves = np.diff(means) / np.maximum(sd[:-1], 1e-12)
    moved = float(np.ptp(means)) > MOVED * float(sd[0])
    drifted = abs(float(lately.mean())) > DRIFTED * float(lately.std())
    change = interval(lately)
    return ChannelStability(
        channel=channel,
        roi=ranges,
        moves=tuple(float(value) for value in moves),
        change_rel=float((means[-1] - means[0]) / max(abs(means[0]), 1e-12)),
        overlap=_overlap(ranges[0], ranges[-1]),
        lately=change,
        drifted=drifted,
        stable=not (moved or drifted),
        sentence=_sentence(channel, means, moves, since, change, moved=moved, drifted=drifted),
    )


def _sentence(
    channel: str, means: Floats, moves: Floats, since: list[str], lately: Range, *, moved: bool, drifted: bool
) -> str:
    name = channel_name(channel)
    change = f"from {ratio(float(means[0]))} to {ratio(float(means[-1]))}"
    said = [] if moved or drifted else [f"{name} is stable: {change}."]
    if moved:
        most = int(np.argmax(np.abs(moves)))
        said.append(f"{name} moved {change}; most ({ratio(float(moves[most]))} sd) with the weeks from {since[most]}.")
    if drifted:
        more = "more" if lately.p50 > 0 else "less"
        low, high = sorted((abs(lately.p05), abs(lately.p95)))
        said.append(
            f"{name} returned {ratio(abs(lately.p50))} {more} for each 1 spent in the last {LATELY_WEEKS} weeks than "
            f"before (from {ratio(low)} to {ratio(high)}, 9 in 10)."
        )
    return " ".join(said)


def _overlap(a: Range, b: Range) -> float:
    """What two intervals share, of the shorter one."""
    shared = min(a.p95, b.p95) - max(a.p05, b.p05)
    return max(0.0, shared) / max(min(a.p95 - a.p05, b.p95 - b.p05), 1e-12)


def _regret_sentence(lost: Floats, oldest: str, unit: str) -> str:
    low, high = (float(value) for value in np.quantile(lost, [0.05, 0.95]))
    step = step_of(max(high - low, 1e-9))
    return (
        f"The split that was best by the fit of {oldest} loses {amount(float(lost.mean()), unit, step)} a week by what "
        f"is known now (from {amount(low, unit, step)} to {amount(high, unit, step)}, 9 in 10)."
    )
