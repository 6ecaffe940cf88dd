"""Carry-over and saturation against their definitions by the day."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weathervane.model.mmm import likelihood  # noqa: F401  switches JAX to 64 bits
from weathervane.model.mmm.transforms import (
    CarryOver,
    Saturation,
    Shape,
    carry_over,
    daily_kernel,
    hill,
    kernel,
    n_lags,
    saturate,
)

FAMILIES: tuple[CarryOver, ...] = ("geometric", "delayed", "weibull", "binomial")


def shape_of(half_life: float, peak: float = 5.0, n: int = 1) -> Shape:
    return Shape(*(jnp.full(n, value) for value in (half_life, 1.0, 1.0, peak)))


@given(st.floats(0.5, 20.0), st.sampled_from(FAMILIES))
@settings(max_examples=25, deadline=None)
def test_weekly_kernel_is_the_daily_kernel_summed_over_a_week_of_even_spending(
    half_life: float, family: CarryOver
) -> None:
    daily = np.asarray(daily_kernel(shape_of(half_life), (family,)))[0]
    lands = np.zeros(10)
    for spent_on in range(7):
        for lag, share in enumerate(daily):
            lands[(spent_on + lag) // 7] += share / 7
    weekly = np.asarray(kernel(shape_of(half_life), (family,), 7))[0]
    assert weekly[:-1] == pytest.approx(lands[:8], abs=1e-12)
    assert weekly[-1] == pytest.approx(lands[8:].sum(), abs=1e-12)
    assert daily.sum() == pytest.approx(1.0, abs=1e-12)
    assert np.asarray(kernel(shape_of(half_life), (family,), 1))[0] == pytest.approx(daily)


@pytest.mark.parametrize("family", FAMILIES)
def test_half_an_effect_is_left_at_the_half_life_after_its_peak(family: CarryOver) -> None:
    peak = 4.0 if family == "delayed" else 0.0
    daily = np.asarray(daily_kernel(shape_of(6.0, peak), (family,)))[0]
    assert daily.argmax() == peak
    assert daily[int(peak) + 6] / daily[int(peak)] == pytest.approx(0.5)
    assert (np.diff(daily[int(peak) :]) <= 1e-15).all()


@pytest.mark.parametrize("step_days", [1, 7])
def test_steady_exposure_is_its_own_carry_over_and_a_pulse_only_moves_forward(step_days: int) -> None:
    run_up = n_lags(step_days) - 1
    kernels = kernel(Shape(jnp.array([2.0, 9.0]), *jnp.ones((3, 2))), ("geometric", "geometric"), step_days)
    assert np.asarray(carry_over(jnp.ones((2, 3, 20 + run_up)), kernels)) == pytest.approx(1.0)
    pulse = np.zeros((1, 1, 20 + run_up))
    pulse[0, 0, run_up + 5] = 1.0
    out = np.asarray(carry_over(jnp.asarray(pulse), kernels[:1]))[0, 0]
    assert out[:5] == pytest.approx(0.0, abs=1e-15)
    assert out[5] > out[6] > out[7] > 0
    assert out[5:] == pytest.approx(np.asarray(kernels)[0][:15], abs=1e-14) if step_days == 1 else True


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


@pytest.mark.parametrize("family", ["hill", "exponent", "logistic", "none"])
def test_every_saturation_starts_at_nothing_and_rises(family: Saturation) -> None:
    shape = Shape(*(jnp.array([value]) for value in (5.0, 1.3, 1.1, 5.0)))
    y = np.asarray(saturate(jnp.array([[0.0, 0.3, 1.0, 1.3, 4.0]]), shape, (family,)))[0]
    assert y[0] == 0.0
    assert (np.diff(y) > 0).all()
    if family in ("hill", "logistic"):
        assert y[3] == pytest.approx(0.5)


def test_channels_of_different_families_are_each_their_own() -> None:
    shape = Shape(*(jnp.array([value, 2 * value]) for value in (5.0, 1.3, 1.1, 5.0)))
    x = jnp.array([[0.5, 2.0], [0.5, 2.0]])
    mixed = np.asarray(saturate(x, shape, ("hill", "none")))
    assert mixed[0] == pytest.approx(np.asarray(hill(x[0], jnp.array(1.3), jnp.array(1.1))))
    assert mixed[1] == pytest.approx(np.asarray(x[1]))
