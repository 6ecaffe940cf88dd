"""Experiment design: a geo experiment as it was frozen before it ran, and the states it goes through after."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from weathervane.contracts.errors import BadInput
from weathervane.contracts.experiment import EstimatorName, TestName
from weathervane.contracts.period import Period

Kind = Literal["holdback", "go_dark", "heavy_up"]
Method = Literal["complete", "stratified", "paired", "supergeo", "trigger_episodes", "selected", "imported"]
Group = Literal["treatment", "control", "alternating"]  # alternating: a trigger experiment treats a geo now and then
Status = Literal["ready", "insufficient_geo"]
State = Literal["draft", "assigned", "running", "completed", "stopped", "failed", "superseded"]
BalanceStatistic = Literal["max_abs_smd", "mahalanobis"]
TriggerSignal = Literal["temperature", "rain"]
BufferHandling = Literal["merge", "drop"]

# Treated minus untreated, times this, is what ads add. The only place where an experiment's sign is decided.
_SIGN: dict[Kind, int] = {"holdback": 1, "go_dark": -1, "heavy_up": 1}
LIVE: frozenset[State] = frozenset({"assigned", "running"})
_NEXT: dict[State, frozenset[State]] = {
    "draft": frozenset({"assigned", "failed", "superseded"}),
    "assigned": frozenset({"running", "stopped", "failed", "superseded"}),
    "running": frozenset({"completed", "stopped", "failed"}),
    "completed": frozenset({"failed"}),  # it could not be read
    "stopped": frozenset(),
    "failed": frozenset(),
    "superseded": frozenset(),
}
_EXPERIMENT_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,120}")


def sign_of(kind: Kind) -> int:
    """+1 or −1: the treated geos' difference times this is what ads add, positive where they add value."""
    return _SIGN[kind]


def check_transition(experiment_id: str, now: State, then: State) -> None:
    """Raises BadInput where an experiment in state `now` cannot go to `then`."""
    if then not in _NEXT[now]:
        allowed = ", ".join(sorted(_NEXT[now])) or "nothing, it has ended"
        raise BadInput(
            f"The experiment {experiment_id} is {now} and cannot become {then}.", f"from {now} it can become {allowed}."
        )


def min_geos_required(min_holdout_units: int = 4) -> int:
    """The fewest geos an experiment is designed for: twice the smallest arm, and never under four."""
    return max(2 * min_holdout_units, 4)


@dataclass(frozen=True)
class ExcludedGeo:
    """A geo that takes no part, and why."""

    geo: str
    reason: str


@dataclass(frozen=True)
class AssignedGeo:
    """A geo's arm. `weight` is its share of the pre-period outcome of all geos taking part; `cell` None is control."""

    geo: str
    group: Group
    weight: float
    cell: str | None = None


@dataclass(frozen=True)
class Cell:
    """One treatment: which channel is withheld, switched off or raised, and for which share of the geos.

    In a holdback the ads run in the treated geos and are withheld in the control; in a go-dark they are switched off
    in the treated geos; in a heavy-up they are raised there.
    """

    name: str
    kind: Kind
    channel: str
    treated_share: float  # of the geos taking part

    def __post_init__(self) -> None:
        if not 0 < self.treated_share < 1:
            raise BadInput(
                f"The cell {self.name} treats {self.treated_share} of the geos.", "give a share between 0 and 1."
            )


@dataclass(frozen=True)
class Constraints:
    """What an assignment must respect; every member of the assignment set does.

    `must_treat` maps a geo to the name of its cell. `neighbours` are pairs of geos too close to be told apart, and so
    are any two within `buffer_km` of each other; `buffer` merges such geos into one unit or drops the smaller one.
    `max_revenue_at_risk` bounds the share of the outcome in geos whose ads are taken away or raised. With
    `population`, every arm holds its share of the people, give or take `population_tolerance`.
    """

    must_treat: Mapping[str, str] = field(default_factory=dict[str, str])
    must_not_treat: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    neighbours: tuple[tuple[str, str], ...] = ()
    buffer_km: float | None = None
    buffer: BufferHandling = "merge"
    max_revenue_at_risk: float | None = None
    population: Mapping[str, float] | None = None
    population_tolerance: float = 0.05

    def __post_init__(self) -> None:
        clash = sorted(set(self.must_treat) & (set(self.must_not_treat) | set(self.exclude)))
        if clash:
            raise BadInput(f"{clash[0]} must be treated and must not.", "take it off one of the two lists.")


@dataclass(frozen=True)
class BalanceRule:
    """An assignment is acceptable if its imbalance is at most `threshold`.

    `max_abs_smd` is the largest absolute standardised difference between a cell and the control over all balance
    metrics; `mahalanobis` their squared distance. `origin` says where the threshold comes from.
    """

    statistic: BalanceStatistic
    threshold: float | None  # None: every assignment is acceptable
    origin: str


@dataclass(frozen=True)
class Stratum:
    """Units (geos that share one arm) of which `treated[c]`, drawn at random, go to cell c; the rest are control."""

    units: tuple[tuple[str, ...], ...]
    treated: tuple[int, ...]

    def __post_init__(self) -> None:
        if sum(self.treated) > len(self.units):
            raise BadInput("A stratum treats more units than it has.", "draft the design again.")


@dataclass(frozen=True)
class PowerPoint:
    """The share of simulated tests that find an effect of this size, relative to the outcome without the ads."""

    effect_rel: float
    power: float


@dataclass(frozen=True)
class Power:
    """What the test can detect: the smallest relative effect found with chance `power` at two-sided `alpha`.

    `mde_rel` None: not even a doubling is found so often. `aa_size` is how often this very design finds something where
    nothing happened, of `n_tests` in `n_windows` of its history; `curve` starts with it. `weather_adjusted` says
    whether weather was taken out, as the analysis then does. `spend_change_abs` is the spend that the test changes,
    signed, at the latest pace; of the windows `n_separate_windows` do not overlap (0: not counted); `return_at_mde` the
    outcome per unit of it at `mde_rel` (an iROAS, or units per unit).
    """

    mde_rel: float | None
    alpha: float
    power: float
    n_weeks: float
    aa_size: float | None = None
    n_tests: int = 0
    n_windows: int = 0
    weather_adjusted: bool = False
    curve: tuple[PowerPoint, ...] = ()
    spend_change_abs: float | None = None
    return_at_mde: float | None = None
    n_separate_windows: int = 0


@dataclass(frozen=True)
class TriggerRule:
    """The weather that ads answer to: `signal` at least |`threshold`| local standard deviations from usual.

    A positive threshold fires above the usual of the time of year, a negative one below. `lead_days` 0 looks at the
    weather as observed, 1 at what was forecast the day before, and so on.
    """

    signal: TriggerSignal
    threshold: float
    lead_days: int = 1

    def __post_init__(self) -> None:
        if not math.isfinite(self.threshold) or self.threshold == 0.0:
            raise BadInput(f"A trigger at {self.threshold} fires always or never.", "write 1 for warm, -1 for cold.")
        if not 0 <= self.lead_days <= 14:
            raise BadInput(f"A lead of {self.lead_days} days is not known.", "use 0 (as observed) to 14.")

    @property
    def definition(self) -> str:
        """The rule in words."""
        side = "above" if self.threshold > 0.0 else "below"
        seen = f"forecast {self.lead_days} days ahead" if self.lead_days else "observed"
        return f"{self.signal} {abs(self.threshold):g} standard deviations {side} usual, as {seen}"


@dataclass(frozen=True)
class TriggerPlan:
    """A trigger experiment: whole trigger episodes are randomised in each geo, in turns of two.

    An episode is a run of trigger days; episodes no more than `washout_days` apart count as one, and what is sold up to
    `washout_days` after an episode counts to it.
    """

    rule: TriggerRule
    washout_days: int
    expected_episodes: float
    expected_geo_days: float  # trigger days inside the test window, over all geos

    @property
    def definition(self) -> str:
        """The rule in words."""
        return self.rule.definition


@dataclass(frozen=True)
class DesignRequest:
    """What is asked of a design. `balance_threshold` None lets the design choose it; see BalanceRule."""

    cells: tuple[Cell, ...]
    pre_period: Period
    test_window: Period
    metric: str = "net_revenue"
    treatment_definition: str = ""
    geo_column: str = "geo"
    method: Method = "stratified"
    cooldown_days: int = 7
    estimator: EstimatorName = "synthetic_control"  # augmented chooses a penalty for each of an assignment set: slow
    test: TestName = "randomisation"
    alpha: float = 0.05
    min_holdout_units: int = 4
    constraints: Constraints = field(default_factory=Constraints)
    balance_statistic: BalanceStatistic = "max_abs_smd"
    balance_threshold: float | None = None
    max_pair_distance: float = 1.0  # supergeo: pairs further apart (root mean square of standardised metrics) merge

    def __post_init__(self) -> None:
        _check_cells(self.cells)
        _check_windows(self.pre_period, self.test_window)
        if self.estimator == "trimmed_match" and self.method != "paired":
            raise BadInput(
                "The estimator trimmed_match compares pairs of places, and this design draws none.",
                "draw pairs (`--method paired`), or use another estimator.",
            )


@dataclass(frozen=True)
class ExperimentDesign:
    """A geo experiment as frozen: what will be done where and when, how it was drawn and how it will be read.

    Geos are sorted by name wherever they are listed. `holdout_*` and `control_share` speak of the control arm;
    `holdout_ratio` is the share of geos asked for there. `balance` holds the standardised difference of each metric
    (treated minus control, the largest over cells in absolute value); `covariates` the standardised metrics by geo,
    so that the assignment set can be drawn again from the design alone. `choices` are, where geos were selected by a
    model, the p-values that sets chosen the same way got in windows of the past, which pay for the choice. `lifecycle`
    is the state it was frozen in; later states stand beside the file. Instants are UTC ending in Z.
    """

    tenant_id: str
    experiment_id: str
    assignment_version: int
    generated_at: str
    created_by_run_id: str
    code_version: str
    lifecycle: State
    status: Status
    kind: Kind
    channel: str
    cells: tuple[Cell, ...]
    metric: str
    treatment_definition: str
    geo_column: str
    geo_count: int
    min_geos_required: int
    holdout_count: int
    holdout_ratio: float
    control_share: float
    revenue_at_risk: float
    assignment: tuple[AssignedGeo, ...]
    excluded_geos: tuple[ExcludedGeo, ...]
    method: Method
    seed: int | None  # None: not randomised by us
    strata: tuple[Stratum, ...]
    constraints: Constraints
    balance: Mapping[str, float]
    balance_rule: BalanceRule
    covariates: Mapping[str, tuple[float, ...]]
    n_draws: int
    max_assignments: int
    n_assignments: int
    assignment_set_sha256: str
    pre_period: Period
    test_window: Period
    cooldown_days: int
    estimator: EstimatorName
    test: TestName
    alpha: float
    input_snapshot_sha256: str
    power: Power | None = None
    trigger: TriggerPlan | None = None
    choices: tuple[float, ...] = ()
    schema_version: int = 1

    def __post_init__(self) -> None:
        check_experiment_id(self.experiment_id)
        _check_cells(self.cells)
        _check_windows(self.pre_period, self.test_window)
        geos = [one.geo for one in self.assignment]
        if geos != sorted(set(geos)) or len(geos) != self.geo_count:
            raise BadInput("A design lists each geo once, sorted by name.", "draft it again.")
        if {one.geo for one in self.excluded_geos} & set(geos):
            raise BadInput("A design assigns a geo that it excludes.", "draft it again.")
        if self.holdout_count != sum(one.group == "control" for one in self.assignment):
            raise BadInput("A design miscounts its control geos.", "draft it again.")
        if geos and not math.isclose(sum(one.weight for one in self.assignment), 1.0, abs_tol=1e-6):
            raise BadInput("The weights of a design do not add up to 1.", "draft it again.")

    @property
    def geos(self) -> tuple[str, ...]:
        """The geos taking part, sorted; the columns of the assignment set."""
        return tuple(one.geo for one in self.assignment)

    @property
    def treated_geos(self) -> tuple[str, ...]:
        """The geos of every cell."""
        return tuple(one.geo for one in self.assignment if one.group == "treatment")

    @property
    def control_geos(self) -> tuple[str, ...]:
        """The geos of the shared control."""
        return tuple(one.geo for one in self.assignment if one.group == "control")

    @property
    def p_floor(self) -> float:
        """The smallest p-value its randomisation test can give; 1 where nothing was randomised."""
        return 1 / max(self.n_assignments, 1)

    def geos_of(self, cell: str) -> tuple[str, ...]:
        """The treated geos of one cell."""
        return tuple(one.geo for one in self.assignment if one.cell == cell)

    def arms_of(self, cell: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The treated and the control geos of one cell; where geos take turns, all of them are both."""
        turns = tuple(one.geo for one in self.assignment if one.group == "alternating")
        return turns or self.geos_of(cell), turns or self.control_geos


@dataclass(frozen=True)
class ExistingSplit:
    """A split that someone else made, as read from their file: nothing of how it was drawn is known to hold.

    `treated` maps a cell to its geos. Figures are None or absent where the file has none; `mde_rel` and `budget` are
    by cell, budgets in major currency units.
    """

    source: str
    treated: Mapping[str, tuple[str, ...]]
    control: tuple[str, ...]
    excluded: tuple[ExcludedGeo, ...] = ()
    kinds: Mapping[str, Kind] = field(default_factory=dict[str, Kind])
    duration_days: int | None = None
    alpha: float | None = None
    power: float | None = None
    seed: int | None = None
    mde_rel: Mapping[str, float] = field(default_factory=dict[str, float])
    budget: Mapping[str, float] = field(default_factory=dict[str, float])
    strata: Mapping[str, int] = field(default_factory=dict[str, int])  # by geo
    ignored: tuple[str, ...] = ()  # what the file says and this product has no word for

    def __post_init__(self) -> None:
        arms = [*self.treated.values(), self.control, tuple(one.geo for one in self.excluded)]
        geos = [geo for arm in arms for geo in arm]
        twice = sorted({geo for geo in geos if geos.count(geo) > 1})
        if twice:
            raise BadInput(f"{self.source} puts the geo {twice[0]} into two arms.", "give each geo one arm.")
        if not self.treated or not all(self.treated.values()) or not self.control:
            raise BadInput(f"{self.source} has an arm without geos.", "name treated and control geos.")


@dataclass(frozen=True)
class Transition:
    """An experiment entered `state` at a UTC instant ending in Z, by that run, for that reason."""

    experiment_id: str
    state: State
    at: str
    run_id: str
    reason: str = ""


RunEvent = Literal[
    "holdout_assigned",
    "holdout_kept",
    "holdout_completed",
    "holdout_estimated",
    "holdout_insufficient_geo",
    "holdout_skipped",
    "holdout_error",
]


@dataclass(frozen=True)
class HoldoutRun:
    """One line of the nightly experiment log. What does not apply to an event is None."""

    tenant_id: str
    timestamp: str
    event: RunEvent
    run_id: str
    level: Literal["info", "warning", "error"]
    duration_ms: int
    input_rows: int
    experiment_id: str | None = None
    geo_count: int | None = None
    holdout_count: int | None = None
    control_share: float | None = None
    assignment_path: str | None = None
    seed: int | None = None
    reason: str | None = None
    error: str | None = None
    schema_version: int = 1


def check_experiment_id(experiment_id: str) -> str:
    """The id itself, if it can safely name a file."""
    if not _EXPERIMENT_ID.fullmatch(experiment_id):
        raise BadInput(
            f"{experiment_id!r} cannot be an experiment id.", "use lower-case letters, digits, - and _, at most 121."
        )
    return experiment_id


def _check_cells(cells: tuple[Cell, ...]) -> None:
    names = [cell.name for cell in cells]
    if not cells or len(set(names)) != len(names):
        raise BadInput("An experiment needs cells of different names.", "name at least one cell, and each once.")
    if sum(cell.treated_share for cell in cells) >= 1:
        raise BadInput("The cells treat all geos and leave no control.", "give them shares that add up to less than 1.")
    for channel in {cell.channel for cell in cells}:
        kinds = {cell.kind for cell in cells if cell.channel == channel}
        if "holdback" in kinds and len(kinds) > 1:
            raise BadInput(
                f"A holdback's control has no {channel} ads, a go-dark's or heavy-up's control has them.",
                "do not share one control between them.",
            )


def _check_windows(pre_period: Period, test_window: Period) -> None:
    if test_window.start <= pre_period.end:
        raise BadInput(
            f"The test starts on {test_window.start}, inside its pre-period (to {pre_period.end}).",
            "start it after the pre-period ends.",
        )
