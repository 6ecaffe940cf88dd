"""LightweightMMM's own names over the `lightweight` engine: change the import, keep the code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weathervane.contracts.errors import BadInput, NotFound
from weathervane.model.mmm.lightweight import LightweightFit, fit_lightweight, over_draws
from weathervane.model.mmm.lightweight_model import CustomPriors, family_of, transform_media

Floats = NDArray[np.float64]
Operation = Callable[[Floats], ArrayLike]


@dataclass(frozen=True)
class Scaling:
    """Multiplies and divides columns of data, and back; factors broadcast against the data's last axes."""

    multiply_by: Floats
    divide_by: Floats

    def transform(self, data: ArrayLike) -> Floats:
        """The data scaled."""
        return self.multiply_by * np.asarray(data, dtype=np.float64) / self.divide_by

    def inverse_transform(self, data: ArrayLike) -> Floats:
        """The data as it was before scaling."""
        return self.divide_by * np.asarray(data, dtype=np.float64) / self.multiply_by


class CustomScaler:
    """Scaling by numbers, or by an operation (such as the mean) on each column of the data it is fitted to.

    An operation wins over a number. A column it would divide by zero, such as one of zero mean, is refused.
    """

    def __init__(
        self,
        divide_operation: Operation | None = None,
        divide_by: ArrayLike = 1.0,
        multiply_operation: Operation | None = None,
        multiply_by: ArrayLike = 1.0,
    ) -> None:
        self._divide = divide_operation or divide_by
        self._multiply = multiply_operation or multiply_by
        self._scaling: Scaling | None = None

    def fit(self, data: ArrayLike) -> None:
        """Finds the factors of this data [row, ...]."""
        values = np.asarray(data, dtype=np.float64)
        divide_by = _factor(self._divide, values)
        if (divide_by == 0).any():
            raise BadInput("A column would be divided by zero.", "standardise columns whose mean is near zero instead.")
        self._scaling = Scaling(multiply_by=_factor(self._multiply, values), divide_by=divide_by)

    def transform(self, data: ArrayLike) -> Floats:
        """The data scaled by the factors found."""
        return self.scaling.transform(data)

    def fit_transform(self, data: ArrayLike) -> Floats:
        """`fit`, then `transform`."""
        self.fit(data)
        return self.transform(data)

    def inverse_transform(self, data: ArrayLike) -> Floats:
        """The data as it was before scaling."""
        return self.scaling.inverse_transform(data)

    @property
    def scaling(self) -> Scaling:
        """The factors found by `fit`; NotFound before it."""
        if self._scaling is None:
            raise NotFound("The scaler has not been fitted.", "call fit or fit_transform first.")
        return self._scaling


def _factor(given: Operation | ArrayLike, data: Floats) -> Floats:
    """The factor of each column [...]: the number given, or the operation on each column."""
    if callable(given):
        return np.apply_along_axis(lambda column: np.asarray(given(column), dtype=np.float64), 0, data)
    return np.broadcast_to(np.asarray(given, dtype=np.float64), data.shape[1:])


class LightweightMMM:
    """A model that is fitted in place, as the package has it; `fitted` is what our own code works with."""

    def __init__(self, model_name: str = "hill_adstock") -> None:
        family_of(model_name)
        self.model_name = model_name
        self._fitted: LightweightFit | None = None

    def fit(
        self,
        media: ArrayLike,
        media_prior: ArrayLike,
        target: ArrayLike,
        extra_features: ArrayLike | None = None,
        degrees_seasonality: int = 2,
        seasonality_frequency: int = 52,
        weekday_seasonality: bool = False,
        media_names: Sequence[str] | None = None,
        number_warmup: int = 1000,
        number_samples: int = 1000,
        number_chains: int = 2,
        target_accept_prob: float = 0.85,
        custom_priors: CustomPriors | None = None,
        seed: int = 0,
    ) -> None:
        """As `fit_lightweight`, in the order of arguments that the package had."""
        self._fitted = fit_lightweight(
            self.model_name,
            media=media,
            media_prior=media_prior,
            target=target,
            extra_features=extra_features,
            media_names=media_names,
            degrees_seasonality=degrees_seasonality,
            seasonality_frequency=seasonality_frequency,
            weekday_seasonality=weekday_seasonality,
            custom_priors=custom_priors,
            number_warmup=number_warmup,
            number_samples=number_samples,
            number_chains=number_chains,
            target_accept_prob=target_accept_prob,
            seed=seed,
        )

    @property
    def fitted(self) -> LightweightFit:
        """The fit; NotFound before `fit`."""
        if self._fitted is None:
            raise NotFound("The model has not been fitted.", "call fit first.")
        return self._fitted

    @property
    def trace(self) -> dict[str, Floats]:
        """Draws [s, ...] by name, with `mu` [s, t] and `media_transformed` [s, t, c] (and a last axis of geos)."""
        fit = self.fitted
        flat = {name: draws.reshape(-1, *draws.shape[2:]) for name, draws in fit.draws.items()}
        transformed = over_draws(lambda draw: transform_media(fit.model_name, fit.design.media, draw), flat)
        return flat | {"mu": fit.fitted(), "media_transformed": transformed}

    def predict(
        self,
        media: ArrayLike,
        extra_features: ArrayLike | None = None,
        media_gap: ArrayLike | None = None,
        target_scaler: CustomScaler | None = None,
    ) -> Floats:
        """[s, t] or [s, t, g]: expected target of the periods after training, unscaled if a scaler is given."""
        predicted = self.fitted.predict(media, extra_features, media_gap)
        return predicted if target_scaler is None else target_scaler.inverse_transform(predicted)

    def get_posterior_metrics(
        self,
        unscaled_costs: ArrayLike | None = None,
        cost_scaler: CustomScaler | None = None,
        target_scaler: CustomScaler | None = None,
    ) -> tuple[Floats, Floats]:
        """Contribution share and ROI, each [s, c] or [s, c, g]; costs are those of the fit unless given."""
        fit = self.fitted
        cost = unscaled_costs
        if cost is None and cost_scaler is not None:
            prior = fit.scales.cost
            cost = cost_scaler.inverse_transform(prior[:, 0] if prior.shape[-1:] == (1,) else prior)
        share = fit.contribution_share()
        outcome = fit.fitted()
        if target_scaler is not None:
            outcome = target_scaler.inverse_transform(outcome)
        # As the package has it: share of the scaled outcome, times the outcome as it was. The same for a scaler that
        # only multiplies, which this one does.
        caused = share * outcome.sum(axis=1)[:, None]
        known = np.asarray(fit.scales.cost if cost is None else cost, dtype=np.float64)
        return share, caused / (known[:, None] if fit.is_geo and known.ndim == 1 else known)
