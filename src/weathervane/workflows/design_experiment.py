"""Design an experiment: a tenant's stored tables become a frozen design with its power, or a reason why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.metadata import version

from weathervane.contracts.errors import BadInput, NotEnoughData
from weathervane.contracts.event import Event
from weathervane.contracts.experiment import EstimatorName
from weathervane.contracts.experiment_design import (
    Cell,
    Constraints,
    DesignRequest,
    ExperimentDesign,
    Kind,
    Method,
    State,
    TriggerRule,
)
from weathervane.contracts.period import Period
from weathervane.experiments import upkeep
from weathervane.experiments.draft import Stamp, draft_design
from weathervane.experiments.panel import Bools
from weathervane.experiments.power import Simulated, power_of, with_costs
from weathervane.experiments.screen import PastTest, ScreenReport
from weathervane.experiments.selected import selected_design
from weathervane.experiments.tables import need_days
from weathervane.experiments.trigger import expected, trigger_design
from weathervane.experiments.trigger_power import trigger_power
from weathervane.store import experiments
from weathervane.store.event_log import record
from weathervane.store.paths import Store
from weathervane.workflows.read_geo_tables import read_geo_tables, read_trigger


@dataclass(frozen=True)
class Wish:
    """What a person asks for; None leaves it to the design. `weeks` is the length of the test.

    A trigger experiment has no share, method or cool-down of its own: half of its episodes are treated, and its washout
    is its cool-down.
    """

    channel: str | None = None
    kind: Kind = "go_dark"
    treated_share: float = 0.3
    weeks: int = 4
    cooldown_days: int = 7
    window: Period | None = None
    method: Method = "stratified"
    alpha: float = 0.1
    estimator: EstimatorName = "synthetic_control"
    cells: tuple[Cell, ...] = ()  # several treatments under one control, instead of channel, kind and share
    trigger: TriggerRule | None = None  # whole episodes of this weather take turns, instead of places
    washout_days: int = 3
    constraints: Constraints = field(default_factory=Constraints)
    with_power: bool = True


def design_experiment(
    store: Store,
    wish: Wish,
    *,
    now: datetime,
    run_id: str,
    seed: int,
    lifecycle: State = "draft",
    keep: bool = True,
    as_of: datetime | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[ExperimentDesign, ScreenReport]:
    """The design, stored unless `keep` is off, and what the screen found.

    `lifecycle` "assigned" freezes it for good; `as_of` looks at the data as known then. Raises BadInput where another
    experiment is live in the same geos and weeks or the channel has no spend, NotEnoughData and PlanImpossible as
    drafting does.
    """
    progress("reading tables")
    tables = read_geo_tables(store, as_of=as_of)
    need_days(tables.outcome)
    channels = sorted(tables.spend)
    if not channels:
        raise NotEnoughData("There is no spend to test.", "import the spend of the channel to be tested.")
    usual = wish.channel or max(channels, key=lambda name: (float(tables.spend[name].outcome.sum()), name))
    cells = wish.cells or (Cell("treated", wish.kind, usual, wish.treated_share),)
    for one in cells:
        if one.channel not in channels:
            raise BadInput(f"There is no spend on {one.channel!r}.", f"choose one of {', '.join(channels)}.")
    channel = cells[0].channel
    first, last = tables.outcome.days[0], tables.outcome.days[-1]
    pre, window = upkeep.next_windows(last, first, today=now.date(), n_weeks=wish.weeks)
    request = DesignRequest(
        cells=cells,
        pre_period=pre,
        test_window=wish.window or window,
        method=wish.method,
        cooldown_days=wish.washout_days if wish.trigger is not None else wish.cooldown_days,
        estimator=wish.estimator,
        test="trimmed_t" if wish.estimator == "trimmed_match" else "randomisation",
        alpha=wish.alpha,
        constraints=wish.constraints,
    )
    earlier = [one for one, step in experiments.designs(store) if step.state in {"assigned", "running", "completed"}]
    past = tuple(PastTest(one.experiment_id, one.test_window, one.treated_geos) for one in earlier)
    ground = replace(tables.ground, around=replace(tables.around, past_tests=past), other_designs=tuple(earlier))
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    stamp = Stamp(store.tenant_id, upkeep.experiment_id(store.tenant_id, now), at, run_id, seed, version("weathervane"))
    simulated: Simulated | None = None
    if wish.method == "selected":
        progress("choosing places by model, in its past too")
        weather = tables.weather_residuals
        design, screen, simulated = selected_design(tables.outcome, request, stamp, ground, weather=weather)
    else:
        progress("drawing an assignment")
        design, screen = draft_design(tables.outcome, request, stamp, ground)
    fires: Bools | None = None
    if wish.trigger is not None:
        geos, days = tables.outcome.geos, tables.outcome.days
        fires = read_trigger(store, wish.trigger, pre, geos, days, as_of=as_of)
        rows = tables.outcome.rows(design.geos)
        plan = expected(wish.trigger, design.geos, days, fires[rows], design.test_window, wish.washout_days)
        design = trigger_design(design, plan)
    if wish.with_power:
        progress("simulating its power")
        weather, spend = tables.weather_residuals, tables.spend[channel]
        if simulated is not None:
            [cell] = design.cells
            adjusted = weather is not None
            power = with_costs(tables.outcome, design, cell, simulated, weather_adjusted=adjusted, spend=spend)
        elif fires is None:
            power = power_of(tables.outcome, design, weather=weather, spend=spend)
        else:
            power = trigger_power(tables.outcome, design, fires, weather=weather, spend=spend)
        design = replace(design, power=power)
    design = replace(design, lifecycle=lifecycle)
    if keep:
        experiments.keep_design(store, design)
        detail = {"experiment_id": design.experiment_id, "channel": channel, "lifecycle": lifecycle}
        record(store, Event("experiment.designed", store.tenant_id, at, run_id, detail=detail))
    return design, screen
