"""What a fit says of each channel, in numbers and a sentence: paid ones, organic ones, those of a category."""

from __future__ import annotations

import numpy as np

from weathervane.contracts.figures import channel_name, ratio, share
from weathervane.contracts.fit import GroupChannel, GroupEvidence, OrganicEvidence
from weathervane.contracts.forecast import Quantiles
from weathervane.contracts.money import Money
from weathervane.contracts.plan import ChannelEvidence, MediaSignal
from weathervane.contracts.tenant import Tenant
from weathervane.model.mmm.engine import Estimates
from weathervane.model.mmm.groups import DISAGREE, Groups


def evidence(found: Estimates, tenant: Tenant, signal: MediaSignal) -> tuple[ChannelEvidence, ...]:
    """Of the channels that cost money: their returns, and whether they can be told from zero."""
    out: list[ChannelEvidence] = []
    for c, channel in enumerate(found.channels):
        if not found.weekly_spend[c] > 0:
            continue
        p05, p10, p50, p90, p95 = (float(q) for q in np.quantile(found.roi[:, c], [0.05, 0.1, 0.5, 0.9, 0.95]))
        part = np.quantile(found.contribution_share[:, c], [0.1, 0.5, 0.9])
        told = signal.told_from_zero and found.can_be_zero and (p05 > 0 or p95 < 0)
        sentence = _channel_sentence(
            channel, p05, p50, p95, told=told, signal=signal.told_from_zero, can_be_zero=found.can_be_zero
        )
        out.append(
            ChannelEvidence(
                channel=channel,
                roi=Quantiles(p10, p50, p90),
                roi_p05=p05,
                roi_p95=p95,
                contribution_share=Quantiles(*(float(q) for q in part)),
                weekly_spend=Money.from_major(float(found.weekly_spend[c]), tenant.currency),
                told_from_zero=told,
                sentence=sentence,
            )
        )
    return tuple(out)


def organic_evidence(found: Estimates, signal: MediaSignal) -> tuple[OrganicEvidence, ...]:
    """Of the channels that cost nothing (mmm.md, "Organic channels")."""
    out: list[OrganicEvidence] = []
    for c, channel in enumerate(found.channels):
        if found.weekly_spend[c] > 0:
            continue
        p05, p10, p50, p90, p95 = (
            float(q) for q in np.quantile(found.contribution_share[:, c], [0.05, 0.1, 0.5, 0.9, 0.95])
        )
        told = signal.told_from_zero and (p05 > 0 or p95 < 0)
        doubt = "" if told else ", which cannot be told from zero"
        sentence = (
            f"{channel_name(channel)} costs nothing and brings {share(p50)} of sales (from {share(p05)} to {share(p95)}"
            f", 9 in 10){doubt}; it has no return, and no plan budgets it."
        )
        out.append(OrganicEvidence(channel, Quantiles(p10, p50, p90), told_from_zero=told, sentence=sentence))
    return tuple(out)


def group_evidence(found: Groups, total: Estimates, signal: MediaSignal) -> tuple[GroupEvidence, ...]:
    """Each category's channels, as they add up to the total's (mmm.md, "Product groups")."""
    part = found.weekly_outcome / found.weekly_outcome.sum()
    out: list[GroupEvidence] = []
    for k, category in enumerate(found.categories):
        channels = tuple(_group_channel(found, k, c, total, signal) for c in range(len(total.channels)))
        said = found.convergence[k]
        of = f"{category} ({share(float(part[k]))} of sales)"
        out.append(
            GroupEvidence(
                category,
                float(part[k]),
                channels,
                said.rhat_max,
                min(said.ess_min, said.ess_tail_min),
                f"{of}: {'; '.join(_group_words(each) for each in channels)}.",
            )
        )
    return tuple(out)


def _group_channel(found: Groups, k: int, c: int, total: Estimates, signal: MediaSignal) -> GroupChannel:
    spent = float(total.weekly_spend[c])
    p05, p10, p50, p90, p95 = (float(q) for q in np.quantile(found.caused[k, :, c], [0.05, 0.1, 0.5, 0.9, 0.95]))
    own = Quantiles(*(float(q) for q in np.quantile(found.own[k, :, c], [0.1, 0.5, 0.9])))
    middle, told = Quantiles(p10, p50, p90), signal.told_from_zero and (p05 > 0 or p95 < 0)
    paid = spent > 0
    return GroupChannel(
        total.channels[c],
        _over(middle, spent) if paid else None,
        p05 / spent if paid else None,
        p95 / spent if paid else None,
        _over(own, spent) if paid else None,
        _over(middle, float(found.weekly_outcome[k])),
        told_from_zero=told,
    )


def _over(of: Quantiles, unit: float) -> Quantiles:
    return Quantiles(of.p10 / unit, of.p50 / unit, of.p90 / unit)


def _group_words(of: GroupChannel) -> str:
    doubt = "" if of.told_from_zero else ", not told from zero"
    name = channel_name(of.channel)
    if of.roi is None or of.roi_p05 is None or of.roi_p95 is None:
        return f"{name} brings {share(of.contribution_share.p50)} of its sales{doubt}"
    return f"{name} returns {ratio(of.roi.p50)} (from {ratio(of.roi_p05)} to {ratio(of.roi_p95)}, 9 in 10){doubt}"


def disagreement(found: Groups, total: Estimates) -> tuple[str, ...]:
    """A sentence for each channel of which the categories' own models say something else than the total's."""
    return tuple(
        f"{channel_name(channel)}: the models of the categories by themselves add up to {words} than the total's "
        f"({abs(distance):.1f} standard deviations apart); they were made to add up to the total's."
        for channel, distance in zip(total.channels, found.distance, strict=True)
        if abs(distance) > DISAGREE
        for words in ("more" if distance > 0 else "less",)
    )


def _channel_sentence(
    channel: str, p05: float, p50: float, p95: float, *, told: bool, signal: bool, can_be_zero: bool
) -> str:
    returns = (
        f"{channel_name(channel)} returns {ratio(p50)} for each 1 spent (from {ratio(p05)} to {ratio(p95)}, 9 in 10)"
    )
    if told:
        return f"{returns}."
    if not signal:
        return f"{returns}, but no effect of ads stands out from placebo tests."
    if not can_be_zero:
        return f"{returns}, by priors that rule out zero: whether it does anything, this engine cannot tell."
    return f"{returns}: it cannot be told from zero."
