"""Carry-over and saturation against their definitions by the day."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weathervane.model.mmm import likelihood  # noqa: F401  switches JAX to 64 bits
from weathervane.model.mmm.transforms import N_LAGS, carry_over, hill, weekly_kernel


@given(st.floats(0.5, 20.0))
@settings(max_examples=25, deadline=None)
def test_weekly_kernel_is_the_daily_kernel_summed_over_a_week_of_even_spending(half_life: float) -> None:
    keep = 0.5 ** (1 / half_life)
    days = np.arange(7 * 80)
    lands = np.zeros(80)
    for spent_on in range(7):
        share = np.where(days >= spent_on, (1 - keep) * keep ** np.maximum(days - spent_on, 0), 0.0)
        lands += share.reshape(80, 7).sum(axis=1) / 7
    kernel = np.asarray(weekly_kernel(jnp.array([half_life])))[0]
    assert kernel[:-1] == pytest.approx(lands[: N_LAGS - 1], abs=1e-12)
    assert kernel.sum() == pytest.approx(1.0, abs=1e-12)


def test_steady_exposure_is_its_own_carry_over_and_a_pulse_only_moves_forward() -> None:
    exposure = np.ones((2, 3, 20 + N_LAGS - 1))
    half_life = jnp.array([2.0, 9.0])
    assert np.asarray(carry_over(jnp.asarray(exposure), half_life)) == pytest.approx(1.0)
    pulse = np.zeros((1, 1, 20 + N_LAGS - 1))
    pulse[0, 0, N_LAGS - 1 + 5] = 1.0
    out = np.asarray(carry_over(jnp.asarray(pulse), jnp.array([2.0])))[0, 0]
    assert (out[:5] == 0).all()
    assert out[5] > out[6] > out[7] > 0
    assert out.sum() == pytest.approx(1.0)


@given(st.floats(0.3, 3.0), st.floats(0.6, 2.0))
@settings(max_examples=25, deadline=None)
def test_hill_rises_from_nothing_through_a_half_and_tires(k: float, slope: float) -> None:
    x = jnp.array([0.0, k / 2, k, 3 * k, 50 * k])
    y = np.asarray(hill(x, jnp.array(k), jnp.array(slope)))
    assert y[0] == 0.0
    assert y[2] == pytest.approx(0.5)
    assert (np.diff(y) > 0).all()
    assert y[-1] < 1.0


def test_hill_has_a_finite_gradient_where_nothing_was_spent() -> None:
    gradient = jax.grad(lambda k: hill(jnp.array([0.0, 1.0]), k, jnp.array(1.2)).sum())(jnp.array(0.8))
    assert np.isfinite(float(gradient))
