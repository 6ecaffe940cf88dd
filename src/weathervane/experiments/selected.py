"""A design whose treated geos a model chooses, and the same choice repeated in its past, which pays for it.

experiments.md, "Market selection".
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.contracts.experiment_design import (
    BalanceRule,
    Constraints,
    DesignRequest,
    ExcludedGeo,
    ExistingSplit,
    ExperimentDesign,
    min_geos_required,
)
from weathervane.contracts.figures import counted
from weathervane.experiments.draft import Ground, Stamp, check_window, cut_to
from weathervane.experiments.grade import import_running
from weathervane.experiments.inference import paid_for
from weathervane.experiments.market_selection import Search, closest, placebos_of_selection
from weathervane.experiments.panel import Floats, Panel
from weathervane.experiments.power import EFFECTS, Simulated, filled, injected
from weathervane.experiments.screen import ScreenReport, screen_panel


def selected_design(
    panel: Panel,
    request: DesignRequest,
    stamp: Stamp,
    ground: Ground | None = None,
    *,
    weather: Floats | None = None,
) -> tuple[ExperimentDesign, ScreenReport, Simulated]:
    """The set of geos that the others foretell best, frozen but for its power; the screen; and what power is read from.

    As many geos as the cell's share asks for, one fewer or one more. `weather` [k, n_geos, n_days] is taken out where
    the analysis will. Raises BadInput for several cells, for what only a draw can respect (neighbours, buffers, shares
    of the population or of sales at risk), and as draft_design; NotEnoughData where the past cannot repeat the choice.
    """
    ground, limits = ground or Ground(), request.constraints
    free = Constraints(limits.must_treat, limits.must_not_treat, limits.exclude)
    if len(request.cells) != 1 or limits != free:
        raise BadInput(
            "A model chooses for one cell, and respects only places that must, must not or do not take part.",
            "draw the places by chance for the rest.",
        )
    check_window(panel, request, ground.other_designs)
    within = np.array([request.pre_period.start <= day <= request.pre_period.end for day in panel.days])
    pre = Panel(panel.geos, tuple(d for d, w in zip(panel.days, within, strict=True) if w), panel.outcome[:, within])
    screen = screen_panel(pre, test_window=request.test_window, around=cut_to(ground, within))
    geos = tuple(geo for geo in screen.geos if geo not in limits.exclude)
    need = min_geos_required(request.min_holdout_units)
    if len(geos) < need:
        raise NotEnoughData(
            f"Only {counted(len(geos), 'place')} can take part, and a test needs {need}.",
            f"bring {need - len(geos)} more, or sales by smaller places.",
        )
    kept = Panel(geos, pre.days, filled(pre.only(geos).outcome))
    signals = None if weather is None else weather[:, pre.rows(geos)][:, :, within]
    length = request.test_window.n_days + request.cooldown_days
    search = _search(request, len(geos), length)
    best = closest(kept, length, search)
    (cell,) = request.cells
    put_in = injected(cell.kind, EFFECTS)
    placebos = placebos_of_selection(kept, length, search, put_in, signals)
    choices = tuple(float(p) for p in placebos.p_values[:, 0])
    if 1.0 / (1.0 + len(choices)) > request.alpha:
        raise NotEnoughData(
            f"The choice can be repeated before only {counted(len(choices), 'past window')}, too few to show an effect "
            f"at alpha {request.alpha:g}.",
            "bring a longer history, or shorten the test.",
        )
    others = tuple(geo for geo in geos if geo not in best)
    split = ExistingSplit("the model's choice", {cell.name: best}, others, screen.excluded)
    design = import_running(pre.only(geos), split, request, stamp)
    listed = tuple(ExcludedGeo(geo, "It is on the exclude list.") for geo in limits.exclude if geo in screen.geos)
    design = replace(
        design,
        lifecycle="draft",
        method="selected",
        constraints=limits,
        balance_rule=BalanceRule("max_abs_smd", None, "no draw: chosen by model"),
        excluded_geos=tuple(sorted((*screen.excluded, *listed), key=lambda one: one.geo)),
        choices=choices,
    )
    paid = [paid_for(row, np.delete(placebos.p_values[:, 0], i)) for i, row in enumerate(placebos.p_values)]
    return design, screen, Simulated(EFFECTS, np.array(paid)[:, None, :])


def _search(request: DesignRequest, n_geos: int, length: int) -> Search:
    """Sets of about the share of geos asked for, read by the design's own estimator."""
    wanted = round(request.cells[0].treated_share * n_geos)
    limits = request.constraints
    return Search(
        sizes=tuple(size for size in (wanted - 1, wanted, wanted + 1) if 1 <= size < n_geos),
        lengths=(length,),
        effects=(0.0,),
        must_treat=tuple(sorted(limits.must_treat)),
        must_not_treat=limits.must_not_treat,
        alpha=request.alpha,
        estimator=request.estimator,
    )
