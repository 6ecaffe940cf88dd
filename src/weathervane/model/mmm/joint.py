"""Channels that the data cannot tell apart are fitted as one and read as many (mmm.md, "Separability")."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.experiment import LiftResult
from weathervane.contracts.response import ResponseCurves
from weathervane.model.features.build import Panel
from weathervane.model.mmm.collinearity import collinear
from weathervane.model.mmm.design import Likelihood
from weathervane.model.mmm.engine import Estimates
from weathervane.model.mmm.prepare import prepare
from weathervane.model.mmm.priors import Priors

Floats = NDArray[np.float64]
Group = tuple[str, ...]

_RECENT_DAYS = 28


@dataclass(frozen=True)
class Joined:
    """A panel and priors in which each group of channels that cannot be told apart is one channel."""

    panel: Panel
    priors: Priors
    groups: tuple[Group, ...]


def joint_name(group: Group) -> str:
    """The key of the one channel that a group is fitted as."""
    return " + ".join(group)


def joined(
    panel: Panel,
    priors: Priors,
    experiments: tuple[LiftResult, ...] = (),
    likelihood: Likelihood = "normal",
) -> Joined:
    """The panel and priors with collinear channels added up; as they are where every channel can be told apart.

    The one channel is measured by what is spent on it, and believed in as the largest of its members is. Channels that
    cost nothing stay by themselves: there is no budget to move. Raises what preparing a fit raises.
    """
    found = collinear(*prepare(panel, priors, experiments, likelihood))
    spent = np.nansum(panel.spend[:, :, : panel.n_past], axis=(1, 2))
    paid = [[c for c in group if spent[c] > 0] for group in found]
    groups = tuple(tuple(panel.channels[c] for c in group) for group in paid if len(group) > 1)
    if not groups:
        return Joined(panel, priors, ())
    believed = dict(priors.channels)
    for group in groups:
        largest = max(group, key=lambda each: (spent[panel.channels.index(each)], each))
        believed[joint_name(group)] = replace(priors.of(largest), exposure="spend")
    return Joined(added_up(panel, groups), replace(priors, channels=believed), groups)


def added_up(panel: Panel, groups: tuple[Group, ...]) -> Panel:
    """The panel with the channels of each group as one, where the first of them stood."""
    at = _positions(panel.channels, groups)

    def summed(rows: Floats) -> Floats:
        return np.stack([rows[members].sum(axis=0) for members in at])

    return replace(
        panel,
        channels=tuple(joint_name(tuple(panel.channels[c] for c in members)) for members in at),
        spend=summed(panel.spend),
        exposure={name: summed(rows) for name, rows in panel.exposure.items()},
    )


def apart(found: Estimates, panel: Panel, groups: tuple[Group, ...]) -> Estimates:
    """The estimates by the panel's own channels: each member of a group has the group's return, and its part by spend.

    Moved in step the members' curves add up to the group's exactly; moved otherwise they say nothing, and no plan does.
    What a posterior file holds stays as it was fitted.
    """
    if not groups:
        return found
    weekly = np.nansum(panel.spend[:, :, : panel.n_past], axis=(1, 2)) * 7 / (panel.n_past * panel.step_days)
    to = _group_of(panel.channels, found.channels, groups)
    part = weekly / np.maximum(found.weekly_spend[to], 1e-12)
    part[found.weekly_spend[to] <= 0] = 1.0
    return replace(
        found,
        channels=panel.channels,
        roi=found.roi[:, to],
        contribution_share=found.contribution_share[:, to] * part,
        weekly_spend=weekly,
        transforms=tuple(
            replace(found.transforms[j], channel=channel) for j, channel in zip(to, panel.channels, strict=True)
        ),
        curves=_curves_apart(found.curves, panel, groups),
        collinear=tuple(tuple(panel.channels.index(each) for each in group) for group in groups),
        learnt=tuple(found.learnt[j] for j in to) if found.learnt else (),
        test_sd=None if found.test_sd is None else found.test_sd[to],
    )


def _curves_apart(curves: ResponseCurves, panel: Panel, groups: tuple[Group, ...]) -> ResponseCurves:
    """Each member's curve is its part of the group's, by what was spent on it lately in that place."""
    channels = tuple(
        channel for channel in panel.channels if channel in curves.channels or any(channel in group for group in groups)
    )
    to = _group_of(channels, curves.channels, groups)
    n, days = panel.n_past, panel.step_days
    spend = np.nan_to_num(panel.spend[[panel.channels.index(each) for each in channels], :, :n])  # [c, g, t]
    whole = n * days // 7 * 7 // days
    weekly = spend[:, :, n - whole :].reshape(*spend.shape[:2], -1, max(7 // days, 1)).sum(axis=3)
    recent, ever = weekly[:, :, -_RECENT_DAYS // 7 :].mean(axis=2), weekly.mean(axis=2)
    part = _parts(recent, ever, to).T[:, :, None]  # [g, c, 1]
    member = np.array([any(channel in group for group in groups) for channel in channels])

    def own(of_group: Floats, of_member: Floats) -> Floats:
        return np.where(member, of_member.T, of_group[:, to])

    return ResponseCurves(
        model_id=curves.model_id,
        geos=curves.geos,
        channels=channels,
        budget=curves.budget[:, to] * part,
        outcome=curves.outcome[:, to] * part[..., None],
        outcome_per_z=curves.outcome_per_z[:, to] * part[..., None],
        spend_recent=own(curves.spend_recent, recent),
        spend_max=own(curves.spend_max, weekly.max(axis=2)),
        carry_over=None if curves.carry_over is None else curves.carry_over[to],
        outcome_per_wet=None if curves.outcome_per_wet is None else curves.outcome_per_wet[:, to] * part[..., None],
    )


def _parts(recent: Floats, ever: Floats, to: list[int]) -> Floats:
    """[c, g]: each channel's part of its group's spend lately; where nothing was spent lately, ever; else alike."""
    part = np.ones_like(recent)
    for group in set(to):
        members = [c for c, each in enumerate(to) if each == group]
        of = np.where(recent[members].sum(axis=0) > 0, recent[members], ever[members])
        of = np.where(of.sum(axis=0) > 0, of, 1.0)
        # A member without spend of late keeps a curve, of a part too small to count.
        part[members] = np.maximum(of / of.sum(axis=0), 1e-6)
    return part


def _positions(channels: tuple[str, ...], groups: tuple[Group, ...]) -> list[list[int]]:
    """Of each channel of the added-up panel, which channels of the panel it is made of."""
    out: list[list[int]] = []
    for c, channel in enumerate(channels):
        group = next((each for each in groups if channel in each), (channel,))
        if channel == group[0]:
            out.append([channels.index(each) for each in group])
        elif len(group) == 1:
            out.append([c])
    return out


def _group_of(channels: tuple[str, ...], fitted: tuple[str, ...], groups: tuple[Group, ...]) -> list[int]:
    """Position of each channel, or of its group, among those that were fitted."""
    name = {each: joint_name(group) for group in groups for each in group}
    return [fitted.index(name.get(channel, channel)) for channel in channels]
