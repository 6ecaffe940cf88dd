"""What is tried where a fit does not converge, in order, and what is said of it (engines.md, "No convergence")."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.errors import ModelFailed
from weathervane.model.features.build import Panel
from weathervane.model.mmm.checkpoint import Checkpoint
from weathervane.model.mmm.engine import Estimates, MediaMixSpec, fit
from weathervane.model.mmm.hierarchical import ENGINE

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Attempt:
    """One way to fit: the specification, where it starts, and how both are said."""

    spec: MediaMixSpec
    start: Floats | None
    tried: str
    used: str = ""


def fit_with_alternatives(
    panel: Panel,
    spec: MediaMixSpec,
    seed: int,
    progress: Callable[[str], None],
    *,
    start: Floats | None = None,
    checkpoint: Checkpoint | None = None,
) -> tuple[Estimates, MediaMixSpec, tuple[str, ...]]:
    """The first fit that converges, the specification it was made by, and a sentence where that is not the one asked.

    Raises ModelFailed, naming everything that was tried, where none does; other engines are tried as they are.
    """
    if spec.engine != ENGINE:
        return fit(panel, spec, seed, progress, start=start, checkpoint=checkpoint), spec, ()
    failed: list[tuple[_Attempt, ModelFailed]] = []
    for attempt in _attempts(panel, spec, start):
        if failed:
            progress(f"did not converge; trying {attempt.tried}")
        try:
            found = fit(panel, attempt.spec, seed, progress, start=attempt.start, checkpoint=checkpoint)
        except ModelFailed as error:
            failed.append((attempt, error))
            continue
        said = () if not failed or not attempt.used else (attempt.used,)
        return found, attempt.spec, said
    raise _refusal(failed)


def _attempts(panel: Panel, spec: MediaMixSpec, start: Floats | None) -> Iterator[_Attempt]:
    """As asked; from another start; and with effects that multiply, which converges where sales swing widely."""
    yield _Attempt(spec, start, f"the {spec.likelihood} likelihood")
    if start is not None:
        yield _Attempt(spec, None, f"the {spec.likelihood} likelihood from a fresh start")
    if spec.likelihood == "normal" and _can_multiply(panel, spec):
        yield _Attempt(
            replace(spec, likelihood="log_normal"),
            None,
            "the log_normal likelihood",
            "The usual model, in which ads add to sales, did not converge on this data. This fit is of the model in "
            "which ads multiply sales (log_normal), which did.",
        )


def _can_multiply(panel: Panel, spec: MediaMixSpec) -> bool:
    """Whether a log-normal likelihood can be of this outcome and take what the fit is told."""
    outcome = panel.outcome[0, :, : panel.n_past]
    plain = not spec.by_category and not spec.experiments and spec.priors.total_media_share is None
    return plain and bool((outcome[np.isfinite(outcome)] > 0).all())


def _refusal(failed: list[tuple[_Attempt, ModelFailed]]) -> ModelFailed:
    first = failed[0][1]
    others = [attempt.tried for attempt, _ in failed[1:]]
    more = f" Tried as well, and not converging either: {'; '.join(others)}." if others else ""
    untried = [name for name in ("student",) if name not in failed[0][0].tried]
    ask = f" Or try `--likelihood {untried[0]}`, which lets single weeks lie far off." if untried else ""
    return ModelFailed(f"{first.problem}{more}", f"{first.remedy}{ask}")
