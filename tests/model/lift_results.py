"""Experiment results as a read-out would give them, for tests of what a model makes of them."""

from __future__ import annotations

from scipy.special import ndtri

from weathervane.contracts.experiment import LiftResult
from weathervane.contracts.period import Period


def lift_result(
    channel: str, treated: tuple[str, ...], window: Period, *, lift: float, sd: float, spend_change: float
) -> LiftResult:
    """A lift in currency with a normal 90 % interval of this standard deviation."""
    reach = float(ndtri(0.95)) * sd
    return LiftResult(
        experiment_id="test-1",
        channel=channel,
        cell="treated",
        kpi_unit="USD",
        estimator="synthetic_control",
        test="randomisation",
        alpha=0.1,
        treated_geos=treated,
        control_geos=(),
        window=window,
        cooldown_days=0,
        n_geos_treatment=len(treated),
        n_geos_control=0,
        n_days=window.n_days,
        lift_rel=0.05,
        lift_rel_low=None,
        lift_rel_high=None,
        lift_abs=lift,
        lift_abs_low=lift - reach,
        lift_abs_high=lift + reach,
        p_value=0.01 if abs(lift) > reach else 0.5,
        p_floor=0.01,
        spend_change_abs=spend_change,
        iroas=lift / spend_change,
        iroas_low=None,
        iroas_high=None,
        cpic=None,
        cpic_low=None,
        cpic_high=None,
        placebo_pass=True,
        caveats=(),
        sentence="",
    )
