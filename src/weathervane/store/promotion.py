"""Promotion: whether a new fit goes into use, by rules over what the registry knows of it (engines.md, "Promotion")."""

from __future__ import annotations

from dataclasses import dataclass

from weathervane.contracts.fit import Diagnostics, FitRecord

RHAT_MAX = 1.01
ESS_MIN = 400.0
EBFMI_MIN = 0.2  # below, momentum is refreshed too little to reach the tails
# NUTS on the lightweight models, whose density is rougher than the collapsed one, where no draw may diverge.
LIGHTWEIGHT_METHOD, LIGHTWEIGHT_DIVERGED_SHARE_MAX = "NUTS", 0.01
WORSE_BY_MAX_REL = 0.02  # two fits a week apart differ by so much in backtests of the same few weeks, by chance alone


@dataclass(frozen=True)
class Verdict:
    """Whether a fit goes into use, and why in one sentence."""

    promote: bool
    reason: str


def judge(fit: FitRecord, champion: FitRecord | None) -> Verdict:
    """The rule: its diagnostics pass, and its backtest, where both have one, is no worse than the champion's."""
    doubts = _doubts(fit.diagnostics)
    if doubts:
        return Verdict(False, f"Its draws are in doubt: {', '.join(doubts)}.")
    if champion is None:
        return Verdict(True, "It is the first whose diagnostics pass.")
    ours, theirs = fit.backtest, champion.backtest
    if ours is None or theirs is None:
        return Verdict(True, "Its diagnostics pass; there are no two backtests to compare.")
    compared = f"its backtest is off by {100 * ours.wape:.1f} %, the champion's by {100 * theirs.wape:.1f} %"
    if ours.wape > theirs.wape * (1 + WORSE_BY_MAX_REL):
        return Verdict(False, f"It forecasts worse: {compared}.")
    return Verdict(True, f"Its diagnostics pass, and {compared}.")


def _doubts(said: Diagnostics) -> list[str]:
    """What does not pass, in words; what an engine does not say is not held against it."""
    n = None if said.chains is None or said.draws is None else said.chains * said.draws
    tail = said.ess_min if said.ess_tail_min is None else said.ess_tail_min
    allowed = LIGHTWEIGHT_DIVERGED_SHARE_MAX * n if said.method == LIGHTWEIGHT_METHOD and n is not None else 0.0
    fails = {
        f"R-hat is {said.rhat_max:.3f}, above {RHAT_MAX}": not said.rhat_max <= RHAT_MAX,
        f"there are {min(said.ess_min, tail):.0f} effective draws, below {ESS_MIN:.0f}": not min(said.ess_min, tail)
        >= ESS_MIN,
        f"{said.divergences}{'' if n is None else f' of {n}'} draws diverged": said.divergences > allowed,
        f"E-BFMI is {said.ebfmi}, below {EBFMI_MIN}": said.ebfmi is not None and said.ebfmi < EBFMI_MIN,
    }
    return [words for words, failed in fails.items() if failed]
