"""Assign: random assignments that respect a design's rule, and the set of them that its randomisation test uses.

The set is a function of the frozen design alone; see docs/modeling/experiments.md, "Assignment".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from weathervane.contracts.errors import BadInput, NotEnoughData, PlanImpossible, StateUnusable
from weathervane.contracts.experiment_design import BalanceRule, Cell, Constraints, ExperimentDesign, Stratum
from weathervane.contracts.figures import counted
from weathervane.experiments.balance import Arms, Bools, Floats, imbalance, values_of

N_DRAWS = 20_000
MAX_ASSIGNMENTS = 2_000
_PILOT_DRAWS = 4_000
_BEST_SHARE = 0.1
_KEEP_AT_LEAST = 200
_CHUNK = 4_096
_SLACK = 1e-9


@dataclass(frozen=True)
class Rule:
    """What makes an assignment acceptable. `values` [g, f] and `weights` [g] follow `geos`, which are sorted."""

    geos: tuple[str, ...]
    cells: tuple[Cell, ...]
    strata: tuple[Stratum, ...]
    values: Floats
    weights: Floats
    constraints: Constraints
    balance: BalanceRule

    def at_risk(self, arms: Arms) -> Floats:
        """Share of the outcome [n] in arms whose ads are taken away or raised, of each assignment [n, g]."""
        codes = {0 if cell.kind == "holdback" else c for c, cell in enumerate(self.cells, start=1)}
        return np.isin(arms, sorted(codes)) @ self.weights


def stream(seed: int, *names: str) -> np.random.PCG64:
    """Random bits of one purpose. Raw bits of a generator are the same in every version of NumPy."""
    words = np.frombuffer(hashlib.sha256("/".join(names).encode()).digest(), dtype="<u4")
    return np.random.PCG64(np.random.SeedSequence([seed, *(int(w) for w in words)]))


def keys(bits: np.random.PCG64, *shape: int) -> NDArray[np.uint64]:
    """Random 64-bit keys; the same rows come whether they are asked for at once or in parts."""
    return bits.random_raw(int(np.prod(shape))).reshape(shape)


def random_arms(rule: Rule, seed: int, n: int, name: str = "assignment") -> Iterator[Arms]:
    """n random assignments [., g] in chunks: in every stratum each choice of its treated units is equally likely."""
    column = {geo: i for i, geo in enumerate(rule.geos)}
    by_shape: dict[tuple[int, tuple[int, ...]], list[Stratum]] = {}
    for stratum in rule.strata:
        by_shape.setdefault((len(stratum.units), stratum.treated), []).append(stratum)
    groups = [
        (stream(seed, name, str(i)), size, treated, alike)
        for i, ((size, treated), alike) in enumerate(sorted(by_shape.items(), key=lambda item: item[0]))
    ]
    for start in range(0, n, _CHUNK):
        rows = min(_CHUNK, n - start)
        arms = np.zeros((rows, len(rule.geos)), dtype=np.int8)
        for bits, size, treated, alike in groups:
            drawn = _draw(bits, rows, len(alike), size, treated)
            units = [unit for stratum in alike for unit in stratum.units]
            source = [i for i, unit in enumerate(units) for _ in unit]
            arms[:, [column[geo] for unit in units for geo in unit]] = drawn.reshape(rows, -1)[:, source]
        yield arms


def _draw(bits: np.random.PCG64, rows: int, strata: int, size: int, treated: Sequence[int]) -> Arms:
    """Arms [rows, strata, size] with `treated[c]` units of each stratum in cell c."""
    arms = np.zeros((rows, strata, size), dtype=np.int8)
    n_treated = sum(treated)
    if n_treated == 0:
        return arms
    if n_treated == size and len(treated) == 1:
        return np.ones_like(arms)
    key = keys(bits, rows, strata, size)
    codes = np.repeat(np.arange(1, len(treated) + 1, dtype=np.int8), treated)
    if n_treated == 1:
        np.put_along_axis(arms, key.argmin(axis=-1)[..., None], codes, axis=-1)
    else:
        np.put_along_axis(arms, np.argsort(key, axis=-1)[..., :n_treated], codes, axis=-1)
    return arms


def acceptable(rule: Rule, arms: Arms) -> Bools:
    """Which assignments [n, g] respect every constraint and the balance rule."""
    fine = np.ones(len(arms), dtype=np.bool_)
    limit = rule.constraints.max_revenue_at_risk
    if limit is not None:
        fine &= rule.at_risk(arms) <= limit + _SLACK
    people = rule.constraints.population
    if people is not None:
        share = _people(rule)
        for c, cell in enumerate(rule.cells, start=1):
            fine &= np.abs((arms == c) @ share - cell.treated_share) <= rule.constraints.population_tolerance + _SLACK
    if rule.balance.threshold is not None:
        fine[fine] = (
            imbalance(arms[fine], rule.values, len(rule.cells), rule.balance.statistic) <= rule.balance.threshold
        )
    return fine


def _people(rule: Rule) -> Floats:
    people = rule.constraints.population or {}
    unknown = [geo for geo in rule.geos if geo not in people]
    if unknown:
        raise BadInput(f"The population of {unknown[0]} is not given.", "give every place's, or none.")
    count = np.array([people[geo] for geo in rule.geos], dtype=np.float64)
    return count / count.sum()


def draw_set(rule: Rule, seed: int, n_draws: int = N_DRAWS, max_assignments: int = MAX_ASSIGNMENTS) -> Arms:
    """The different acceptable assignments [n, g] among `n_draws`, in the order drawn, at most `max_assignments`.

    Given the set, its first member is as likely as any other: it is the assignment that is carried out. Raises
    PlanImpossible where no draw is acceptable.
    """
    return _collect(
        rule, random_arms(rule, seed, n_draws), max_assignments, np.zeros((0, len(rule.geos)), dtype=np.int8)
    )


def _collect(rule: Rule, chunks: Iterator[Arms], most: int, found: Arms) -> Arms:
    drawn = 0
    for arms in chunks:
        drawn += len(arms)
        found = _different(np.concatenate([found, arms[acceptable(rule, arms)]]))
        if len(found) >= most:
            break
    if not len(found):
        raise _impossible(rule, drawn)
    return found[:most]


def _different(arms: Arms) -> Arms:
    """Each assignment once, where it first came."""
    if not len(arms):
        return arms
    whole = np.ascontiguousarray(arms).view(np.dtype((np.void, arms.shape[1])))[:, 0]
    return arms[np.sort(np.unique(whole, return_index=True)[1])]


def _impossible(rule: Rule, drawn: int) -> PlanImpossible:
    arms = np.concatenate(list(random_arms(rule, 0, min(drawn, _PILOT_DRAWS), "why")))
    limit = rule.constraints.max_revenue_at_risk
    least = float(rule.at_risk(arms).min())
    if limit is not None and least > limit:
        return PlanImpossible(
            f"None of {drawn:,} splits tried keeps the sales at risk to {limit:.1%}; the lowest was {least:.1%}.",
            "allow more, treat fewer geos, or exclude the largest ones.",
        )
    if rule.constraints.population is not None and not acceptable(_free(rule), arms).any():
        return PlanImpossible(
            f"None of {drawn:,} splits tried gives each side its share of the people.", "allow a wider tolerance."
        )
    best = float(imbalance(arms, rule.values, len(rule.cells), rule.balance.statistic).min())
    return PlanImpossible(
        f"None of {drawn:,} splits tried makes the sides as alike as {rule.balance.threshold}; the best reached "
        f"{best:.3g}.",
        "allow a larger threshold, or leave it to the design.",
    )


def _free(rule: Rule) -> Rule:
    return replace(rule, balance=replace(rule.balance, threshold=None))


def chosen_threshold(rule: Rule, seed: int) -> BalanceRule:
    """The threshold that keeps the best tenth of different assignments, and at least 200 of them where there are.

    `rule` has no threshold yet.
    """
    none = np.zeros((0, len(rule.geos)), dtype=np.int8)
    pilot = _collect(rule, random_arms(rule, seed, _PILOT_DRAWS, "pilot"), _PILOT_DRAWS, none)
    value = np.sort(imbalance(pilot, rule.values, len(rule.cells), rule.balance.statistic))
    keep = min(len(value), max(_KEEP_AT_LEAST, round(_BEST_SHARE * len(value))))
    origin = f"the best {keep:,} of {len(value):,} different splits drawn first"
    return replace(rule.balance, threshold=float(value[keep - 1]), origin=origin)


def need_room(n_assignments: int, alpha: float) -> None:
    """Raises NotEnoughData where a randomisation test over so few assignments could never reach `alpha`."""
    if n_assignments * alpha < 1 - _SLACK:
        raise NotEnoughData(
            f"Only {counted(n_assignments, 'split')} of the places would be acceptable, so no p-value can be under "
            f"{1 / n_assignments:.3f} and no effect could be shown.",
            f"allow at least {int(np.ceil(1 / alpha - _SLACK))}: bring more places, or ask for fewer constraints.",
        )


def rule_of(design: ExperimentDesign) -> Rule:
    """The rule by which a frozen design was drawn."""
    return Rule(
        geos=design.geos,
        cells=design.cells,
        strata=design.strata,
        values=values_of(design.covariates),
        weights=np.array([one.weight for one in design.assignment]),
        constraints=design.constraints,
        balance=design.balance_rule,
    )


def chosen_arms(design: ExperimentDesign) -> Arms:
    """The assignment [g] of a design: 0 for control, c + 1 for its cell number c."""
    code = {cell.name: c for c, cell in enumerate(design.cells, start=1)}
    return np.array([0 if one.cell is None else code[one.cell] for one in design.assignment], dtype=np.int8)


def assignment_arms(design: ExperimentDesign) -> Arms:
    """Every assignment [n, g] the design could have had, the chosen one first: 0 for control, c + 1 for cell c.

    Drawn again from the frozen design. Raises StateUnusable where that does not give the set that was frozen, and
    BadInput for a design that was not drawn by chance.
    """
    if design.seed is None or design.method == "trigger_episodes":
        raise BadInput(
            f"The places of {design.experiment_id} were not drawn by chance, so there is no set of possible splits.",
            "use placebos in space and time, or the schedule of its trigger episodes.",
        )
    found = draw_set(rule_of(design), design.seed, design.n_draws, design.max_assignments)
    if digest(found) != design.assignment_set_sha256 or not np.array_equal(found[0], chosen_arms(design)):
        raise StateUnusable(
            f"The assignment set of {design.experiment_id} cannot be drawn again as it was frozen.",
            "restore the design from a backup; its file or the numeric library has changed.",
        )
    return found


def assignment_set(design: ExperimentDesign, cell: str | None = None) -> Bools:
    """Which geos are treated [n, g] in each assignment the design could have had; the first is the chosen one.

    Columns follow `design.geos`, rows are all different, so no p-value is under 1 / n. With several cells name one:
    the geos of the other cells stay where they are and only this cell and the control trade places, which makes the
    test of one cell exact whatever the other cells do. Errors as assignment_arms.
    """
    frozen = assignment_arms(design)
    if len(design.cells) == 1:
        return frozen == 1
    names = [one.name for one in design.cells]
    if cell not in names:
        raise BadInput(f"There is no cell {cell!r} in {design.experiment_id}.", f"use one of {', '.join(names)}.")
    code = names.index(cell) + 1
    return _given_others(design, code) == code


def cell_geos(design: ExperimentDesign, cell: str) -> Bools:
    """Which geos [g] speak of one cell: its own and the control; the other cells' geos stay out of its analysis."""
    return np.array([one.cell in {None, cell} for one in design.assignment])


def _given_others(design: ExperimentDesign, code: int) -> Arms:
    """The acceptable assignments in which every geo of the other cells keeps its arm, the chosen one first."""
    rule, now = rule_of(design), chosen_arms(design)
    arm = dict(zip(design.geos, now, strict=True))
    strata = [_trading(stratum, arm, code) for stratum in rule.strata]
    free = replace(rule, strata=tuple(stratum for stratum in strata if stratum.units))
    seed = design.seed if design.seed is not None else 0

    def chunks() -> Iterator[Arms]:
        for drawn in random_arms(free, seed, design.n_draws, f"cell/{code}"):
            drawn[drawn == 1] = code
            yield np.where(np.isin(now, (0, code)), drawn, now).astype(np.int8)

    return _collect(rule, chunks(), design.max_assignments, now[None, :])


def _trading(stratum: Stratum, arm: dict[str, np.int8], code: int) -> Stratum:
    units = tuple(unit for unit in stratum.units if arm[unit[0]] in (0, code))
    return Stratum(units, (stratum.treated[code - 1],))


def digest(arms: Arms) -> str:
    """SHA-256 of an assignment set, members and order included."""
    return hashlib.sha256(str(arms.shape).encode() + np.ascontiguousarray(arms).tobytes()).hexdigest()


def pairs_of(design: ExperimentDesign) -> tuple[tuple[str, str], ...]:
    """The pairs (treated, control) of single places that a paired design drew."""
    treated = set(design.treated_geos)
    two = [unit for unit in design.strata if len(unit.units) == 2 and all(len(one) == 1 for one in unit.units)]
    pairs = [(a[0], b[0]) if a[0] in treated else (b[0], a[0]) for a, b in (stratum.units for stratum in two)]
    return tuple(pair for pair in pairs if pair[0] in treated and pair[1] not in treated)
