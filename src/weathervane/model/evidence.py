"""What a fit says of each channel, in numbers and a sentence: paid ones, organic ones, those of a category."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.figures import amount, channel_name, ratios, returned, share
from weathervane.contracts.fit import GroupChannel, GroupEvidence, JointEvidence, OrganicEvidence
from weathervane.contracts.forecast import BacktestScore, Quantiles
from weathervane.contracts.money import Money
from weathervane.contracts.plan import ChannelEvidence, MediaSignal, Standing
from weathervane.contracts.tenant import Tenant
from weathervane.model.mmm.engine import Estimates
from weathervane.model.mmm.groups import DISAGREE, Groups
from weathervane.model.mmm.holdout import WEEKS

Floats = NDArray[np.float64]


def evidence(found: Estimates, tenant: Tenant, signal: MediaSignal) -> tuple[ChannelEvidence, ...]:
    """Of the channels that cost money: what they returned on average, and whether that can be told from zero."""
    return tuple(_channel(found, c, tenant, signal) for c in range(len(found.channels)) if found.weekly_spend[c] > 0)


def _channel(found: Estimates, c: int, tenant: Tenant, signal: MediaSignal) -> ChannelEvidence:
    p05, p10, p50, p90, p95 = (float(q) for q in np.quantile(found.roi[:, c], [0.05, 0.1, 0.5, 0.9, 0.95]))
    standing = _standing(found, c)
    told = standing != "not_measured" and signal.told_from_zero and found.can_be_zero and (p05 > 0 or p95 < 0)
    return ChannelEvidence(
        channel=found.channels[c],
        roi=Quantiles(p10, p50, p90),
        roi_p05=p05,
        roi_p95=p95,
        contribution_share=_quantiles(found.contribution_share[:, c]),
        weekly_spend=Money.from_major(float(found.weekly_spend[c]), tenant.currency),
        told_from_zero=told,
        sentence=_channel_sentence(found, c, tenant, signal, told=told),
        standing=standing,
    )


def _standing(found: Estimates, c: int) -> Standing:
    if found.learnt and not found.learnt[c].measured:
        return "not_measured"
    return "only_together" if any(c in group for group in found.collinear) else "measured"


def joint_evidence(found: Estimates, tenant: Tenant) -> tuple[JointEvidence, ...]:
    """Of each group of channels that the data cannot tell apart."""
    return tuple(_joint(found, list(group), tenant) for group in found.collinear)


def _joint(found: Estimates, members: list[int], tenant: Tenant) -> JointEvidence:
    channels = tuple(found.channels[c] for c in members)
    names, draws = listed(channels), found.roi[:, members[0]]  # the same for all of them
    p05, p10, p50, p90, p95 = (float(q) for q in np.quantile(draws, [0.05, 0.1, 0.5, 0.9, 0.95]))
    rule = "neither" if len(members) == 2 else "none of them"
    return JointEvidence(
        channels,
        Quantiles(p10, p50, p90),
        p05,
        p95,
        f"Spend on {names} rose and fell together, so the data cannot tell what each of them brings. Together they "
        f"brought {per_one(p50, p05, p95, tenant)}. A plan changes them in step, or {rule}.",
        separating_test(found, members),
    )


def separating_test(found: Estimates, members: list[int]) -> str:
    """The geo holdout that would tell channels apart: of the one that it measures best."""
    names = listed([found.channels[c] for c in members])
    priced = [c for c in members if found.test_sd is not None and np.isfinite(found.test_sd[c])]
    if not priced or found.test_sd is None:
        return f"To tell {names} apart, change the spend of one of them while the others stay as they are."
    chosen = min(priced, key=lambda c: (float(found.test_sd[c]) if found.test_sd is not None else 0.0, c))
    return (
        f"To tell {names} apart, stop {channel_name(found.channels[chosen])} {where(found.geos)} for {WEEKS} weeks "
        "and leave the others as they are."
    )


def posterior_and_prior(found: Estimates, tenant: Tenant) -> tuple[str, ...]:
    """A sentence for each channel whose return lies where the belief beforehand hardly allowed it, or is held by it."""
    together = {c for group in found.collinear for c in group}
    out: list[str] = []
    for c, each in enumerate(found.learnt):
        if c in together or not found.weekly_spend[c] > 0 or not each.measured:
            continue
        name = _capital(channel_name(found.channels[c]))
        believed = _ends(each.prior_mean - 1.645 * each.prior_sd, each.prior_mean + 1.645 * each.prior_sd, tenant)
        mean = returned(each.mean, _unit(tenant), each.mean)
        if each.held and each.data_alone is not None:
            alone = returned(each.data_alone, _unit(tenant), each.data_alone)
            out.append(
                f"{name}: the range believed before the data ({believed} for each {_one(tenant)}, 9 in 10) holds the "
                f"return at {mean}; the data alone point to about {alone}. If that can be true, widen the belief with "
                "`weathervane train --priors`."
            )
        elif each.beyond:
            out.append(
                f"{name}: the return found ({mean} for each {_one(tenant)}) lies outside what was believed before the "
                f"data ({believed}, 9 in 10). Check its spend and what else moved with it."
            )
    return tuple(out)


def unseen_sentence(scores: tuple[BacktestScore, ...], why_not: str) -> str:
    """How far the model was off in the weeks hidden from it, beside simple forecasts of the same weeks."""
    if not scores:
        return why_not
    model, floors = scores[0], sorted(scores[1:], key=lambda each: each.wape)
    off = share(model.wape)
    said = f"Asked for the last {model.n} weeks without having seen them, the model was off by {off} of sales"
    if not floors:
        return f"{said}; there is no simple forecast to compare it with."
    beside = ", ".join(f"{share(each.wape)} by {_FLOORS.get(each.method, each.method)}" for each in floors)
    if model.wape <= floors[0].wape:
        return f"{said}, less than simple forecasts were: {beside}."
    return f"{said}, more than a simple forecast was: {beside}. Read its returns as rough."


_FLOORS = {
    "seasonal naive": "repeating the same weeks of the year before",
    "recent mean": "repeating the mean of the 13 weeks before",
}


def listed(channels: Sequence[str]) -> str:
    """`search and social`, `search, social and TV`."""
    names = [channel_name(each) for each in channels]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def where(geos: tuple[str, ...]) -> str:
    """Where a test stops a channel: a single place has no other half to compare with."""
    return "everywhere" if len(geos) == 1 else "in half of the places"


def per_one(middle: float, low: float, high: float, tenant: Tenant) -> str:
    """`$1.39 for each $1 spent on average (from $1.05 to $1.71, 9 in 10)`."""
    every = (middle, low, high)
    return (
        f"{returned(middle, _unit(tenant), *every)} for each {_one(tenant)} spent, on average over the whole history "
        f"({_ends(low, high, tenant, middle)}, 9 in 10)"
    )


def _ends(low: float, high: float, tenant: Tenant, *others: float) -> str:
    ends = tenant.currency if tenant.outcome_is_money else ""
    return f"from {returned(low, ends, high, *others)} to {returned(high, ends, low, *others)}"


def _unit(tenant: Tenant) -> str:
    return tenant.currency if tenant.outcome_is_money else tenant.outcome.replace("_", " ")


def _one(tenant: Tenant) -> str:
    return amount(1, tenant.currency, 1)


def _quantiles(draws: Floats) -> Quantiles:
    return Quantiles(*(float(q) for q in np.quantile(draws, [0.1, 0.5, 0.9])))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


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
        doubt = "" if told else ", which may as well be nothing"
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
    doubt = "" if of.told_from_zero else ", which may as well be nothing"
    name = channel_name(of.channel)
    if of.roi is None or of.roi_p05 is None or of.roi_p95 is None:
        return f"{name} brings {share(of.contribution_share.p50)} of its sales{doubt}"
    middle, low, high = ratios(of.roi.p50, of.roi_p05, of.roi_p95)
    return f"{name} returned {middle} on average (from {low} to {high}, 9 in 10){doubt}"


def disagreement(found: Groups, total: Estimates) -> tuple[str, ...]:
    """A sentence for each channel of which the categories' own models say something else than the total's."""
    return tuple(
        f"{channel_name(channel)}: the models of the categories by themselves add up to {words} than the total's "
        f"({abs(distance):.1f} standard deviations apart); they were made to add up to the total's."
        for channel, distance in zip(total.channels, found.distance, strict=True)
        if abs(distance) > DISAGREE
        for words in ("more" if distance > 0 else "less",)
    )


def _channel_sentence(found: Estimates, c: int, tenant: Tenant, signal: MediaSignal, *, told: bool) -> str:
    name = _capital(channel_name(found.channels[c]))
    p05, p50, p95 = (float(q) for q in np.quantile(found.roi[:, c], [0.05, 0.5, 0.95]))
    standing = _standing(found, c)
    if standing == "not_measured":
        return (
            f"{name} is not measured: the data say no more of its return than was believed before them "
            f"({_ends(p05, p95, tenant)} for each {_one(tenant)}, 9 in 10). A plan leaves it as it is."
        )
    if standing == "only_together":
        group = next(group for group in found.collinear if c in group)
        others = listed([found.channels[other] for other in group if other != c])
        return f"{name} is known only together with {others}."
    brought = f"{name} brought {per_one(p50, p05, p95, tenant)}"
    if told:
        return f"{brought}."
    if not signal.told_from_zero:
        return f"{brought}, but the placebo tests find no effect of ads."
    if not found.can_be_zero:
        return f"{brought}. This engine rules out zero beforehand, so it cannot say whether the channel does anything."
    return f"{brought}: that may as well be nothing."
