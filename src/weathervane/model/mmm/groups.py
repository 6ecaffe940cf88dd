"""Product groups: a model of each category beside the total's, made to add up to it (mmm.md, "Product groups")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.errors import BadInput, ModelFailed
from weathervane.model.features.build import Panel
from weathervane.model.mmm.checkpoint import Checkpoint
from weathervane.model.mmm.design import Likelihood
from weathervane.model.mmm.diagnostics import Convergence
from weathervane.model.mmm.hierarchical import fit_media_mix
from weathervane.model.mmm.priors import ChannelPriors, Normal, Priors

Floats = NDArray[np.float64]
DISAGREE = 2.0  # standard deviations between the total and what the categories' own models add up to


@dataclass(frozen=True)
class Groups:
    """Categories k and channels c: what each channel caused in each category a week, in draws s of currency.

    `caused` adds up over categories, draw by draw, to the total's; `own` is what each category's model says by itself.
    """

    categories: tuple[str, ...]
    weekly_outcome: Floats  # [k]
    caused: Floats  # [k, s, c]
    own: Floats  # [k, s, c]
    distance: Floats  # [c], of the total from the sum of `own`, in standard deviations of both
    convergence: tuple[Convergence, ...]


def fit_groups(
    panel: Panel,
    total: Floats,
    priors: Priors,
    seed: int,
    progress: Callable[[str], None] = lambda _: None,
    *,
    likelihood: Likelihood = "normal",
    start: Floats | None = None,
    checkpoint: Checkpoint | None = None,
) -> Groups:
    """A fit of each category of `panel`, reconciled with draws [s, c] of what the `total` says is caused a week.

    The fits begin at `start`, the total's peak. Raises BadInput as insist_on_groups does, ModelFailed with its name
    where the model of one category did not converge.
    """
    insist_on_groups(panel)
    weekly = _weekly_outcome(panel)
    draws: list[Floats] = []
    said: list[Convergence] = []
    for k, category in enumerate(panel.categories):
        progress(f"fitting {category} by itself")
        one, believed = only(panel, k), beliefs_of_part(priors, float(weekly[k] / weekly.sum()))
        try:
            found = fit_media_mix(one, believed, seed, likelihood=likelihood, start=start, checkpoint=checkpoint)
        except ModelFailed as failed:
            raise ModelFailed(
                f"Of {category} alone: {failed.problem}",
                f"{failed.remedy.rstrip('.')}; merge small categories, or leave out --by-category.",
            ) from failed
        draws.append(caused_a_week(one, found.roi, found.contribution_share))
        said.append(found.convergence)
    # The same seed makes chains alike from fit to fit; shuffled, draws of one say nothing of those of another.
    rng, n = np.random.default_rng(np.random.SeedSequence([seed, 9])), min(map(len, [total, *draws]))
    whole, *parts = (each[rng.permutation(len(each))[:n]] for each in (total, *draws))
    own = np.stack(parts)
    gap = own.sum(axis=0).mean(axis=0) - whole.mean(axis=0)
    doubt = np.sqrt(own.var(axis=1).sum(axis=0) + whole.var(axis=0))
    return Groups(panel.categories, weekly, reconciled(whole, own), own, gap / np.maximum(doubt, 1e-12), tuple(said))


def insist_on_groups(panel: Panel) -> None:
    """Raises BadInput where there are not two categories, or one of them sells nothing."""
    if len(panel.categories) < 2:
        raise BadInput(
            "Sales are modelled as one category, so there are no groups to fit.",
            "leave out --by-category, or import sales by category.",
        )
    for category, sold in zip(panel.categories, _weekly_outcome(panel), strict=True):
        if not sold > 0:
            raise BadInput(f"{category} sells nothing in all.", "leave it out of the import, or merge it into another.")


def reconciled(total: Floats, own: Floats) -> Floats:
    """[k, s, c]: draws of the categories' `own` models, moved so that they add up to draws [s, c] of the `total`.

    Each takes the part of what is missing that its variance has in the sum of variances: what is sure stays, what is
    in doubt gives way.
    """
    variance = own.var(axis=1)  # [k, c]
    part = variance / np.maximum(variance.sum(axis=0), 1e-300)
    return own + part[:, None, :] * (total - own.sum(axis=0))


def only(panel: Panel, k: int) -> Panel:
    """The panel of its category k alone."""
    chosen = {name: getattr(panel, name)[k : k + 1] for name in ("outcome", "in_stock", "promotion", "log_price")}
    closed = panel.closed if panel.closed is None or len(panel.closed) == 1 else panel.closed[k : k + 1]
    return replace(panel, categories=panel.categories[k : k + 1], closed=closed, **chosen)


def caused_a_week(panel: Panel, roi: Floats, share: Floats) -> Floats:
    """[s, c]: outcome caused a week by draws of returns and of shares, which stand in where a channel costs nothing."""
    n = panel.n_past
    spent = np.nansum(panel.spend[:, :, :n], axis=(1, 2)) * 7 / (n * panel.step_days)
    return np.where(spent > 0, np.nan_to_num(roi) * spent, share * _weekly_outcome(panel).sum())


def beliefs_of_part(priors: Priors, part: float) -> Priors:
    """Beliefs on a category that sells this part of the outcome.

    With the whole's Normal(m, s), a category's return is Normal(m · part, s · √part): over independent categories these
    add up to the whole's. A share of its own outcome is Normal(m, s / √part), for the same reason. What is relative to
    an effect, as its change with the weather, is believed alike of all.
    """
    channels: Mapping[str, ChannelPriors] = priors.channels
    return Priors(
        _of_part(priors.default, part),
        {name: _of_part(each, part) for name, each in channels.items()},
        _share_of_part(priors.total_media_share, part),
    )


def _of_part(of: ChannelPriors, part: float) -> ChannelPriors:
    return replace(
        of,
        roi=_return_of_part(of.roi, part),
        marginal_roi=_return_of_part(of.marginal_roi, part),
        contribution_share=_share_of_part(of.contribution_share, part),
    )


def _return_of_part(belief: Normal | None, part: float) -> Normal | None:
    return None if belief is None else Normal(belief.mean * part, belief.sd * float(np.sqrt(part)))


def _share_of_part(belief: Normal | None, part: float) -> Normal | None:
    return None if belief is None else Normal(belief.mean, belief.sd / float(np.sqrt(part)))


def _weekly_outcome(panel: Panel) -> Floats:
    """[k]: mean outcome a week of all places, over the periods that are known."""
    return np.nanmean(panel.outcome[:, :, : panel.n_past], axis=2).sum(axis=1) * 7 / panel.step_days
