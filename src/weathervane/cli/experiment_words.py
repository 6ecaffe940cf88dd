"""What `weathervane experiment` says on the screen: screening, design, power, results, grades."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from weathervane.contracts.figures import counted

if TYPE_CHECKING:
    from weathervane.contracts.experiment import StoredResult
    from weathervane.contracts.experiment_design import ExperimentDesign, Power
    from weathervane.experiments.grade import SplitGrade
    from weathervane.experiments.screen import ScreenReport

_TOLD_IN_FULL = ("dominant_geo", "past_test", "stock_out", "missing_days", "holiday")
_Z90 = 1.6449
_SHOWN_EFFECTS = (0.0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3)


def show_screen(screen: ScreenReport) -> None:
    """What the screen found: in full where it bears on who takes part, else a line a kind with the places it names."""
    from weathervane.experiments.panel import named

    for text in _told_in_full(screen):
        typer.echo(f"  ! {text}")
    told_short = [one for one in screen.findings if not one.excludes and one.kind not in _TOLD_IN_FULL]
    for kind in dict.fromkeys(one.kind for one in told_short):
        found = [one for one in told_short if one.kind == kind]
        places = named(sorted({one.geo for one in found if one.geo is not None}))
        days = sorted({day for one in found for day in one.days})
        when = f" between {days[0]} and {days[-1]}" if days else ""
        what = f"{kind.replace('_', ' ')}, {len(found)} found{when}{f' in {places}' if places else ''}"
        typer.echo(f"  · Unusual in the data: {what}")


def _told_in_full(screen: ScreenReport) -> list[str]:
    """Each finding that bears on who takes part; what is the same of several places once, with all of them."""
    told: dict[str, list[str]] = {}
    for one in screen.findings:
        if one.excludes or one.kind in _TOLD_IN_FULL:
            told.setdefault(f"{one.what.removeprefix(f'{one.geo} was')} {one.effect}", []).append(one.geo or "")
    return [
        f"{', '.join(geos)} {'were' if len(geos) > 1 else 'was'}{text}" if text.startswith(" ") else text
        for text, geos in told.items()
    ]


def show_design(made: ExperimentDesign) -> None:
    """Who takes part on which side, how alike the sides are, and what the test can detect."""
    from rich.console import Console
    from rich.table import Table

    from weathervane.contracts.figures import share

    console = Console()
    console.print(f"[bold]{made.treatment_definition}[/]", highlight=False)
    if made.trigger is not None:
        console.print(
            f"To be expected in {made.geo_count} places: about {made.trigger.expected_episodes:.0f} episodes, in all "
            f"{made.trigger.expected_geo_days:.0f} trigger days of a place; {made.trigger.washout_days} to wash out.",
            highlight=False,
        )
        if made.power is not None:
            console.print(power_sentence(made.power), highlight=False)
        return
    table = Table("Place", "Arm", "Share of sales", box=None, pad_edge=False)
    table.columns[2].justify = "right"
    for one in sorted(made.assignment, key=lambda each: (each.cell is None, -each.weight)):
        table.add_row(one.geo, one.cell or one.group, share(one.weight))
    console.print(table)
    for one in made.excluded_geos:
        console.print(f"  ! {one.geo} takes no part. {one.reason}", highlight=False)
    worst = max(made.balance, key=lambda name: abs(made.balance[name]), default=None)
    if worst is not None:
        chance = (
            f"Drawn by chance from {counted(made.n_assignments, 'possible split')}."
            if made.seed is not None
            else "A model chose them; the result is held against the same choice before "
            f"{counted(len(made.choices), 'past window')}."
            if made.choices
            else "Not drawn here."
        )
        console.print(
            f"{chance} The two sides differ most in {worst.replace('_', ' ')}, by {abs(made.balance[worst]):.2f} "
            "standard deviations between places.",
            highlight=False,
        )
    console.print(f"Share of sales at risk: {share(made.revenue_at_risk)}.", highlight=False)
    if made.power is not None:
        console.print(power_sentence(made.power), highlight=False)


def power_sentence(found: Power) -> str:
    """What the test can detect, and how often it would raise a false alarm, with what that rests on."""
    alarms = false_alarms(found)
    if found.mde_rel is None:
        return f"Not even a doubling of sales would be found 8 times in 10: this test cannot tell. {alarms}"
    often = f"{round(10 * found.power)} times in 10"
    return f"It finds an effect of {found.mde_rel:.1%} of sales {often}. {alarms}"


def false_alarms(found: Power) -> str:
    """How often the test reported an effect in weeks of the past in which nothing had changed, and how sure that is.

    Windows that overlap say little more than one of them, so the range counts those beside one another.
    """
    from weathervane.experiments.wording import FEW_WINDOWS

    asked = f"{found.alpha:.0%} is what was asked for"
    if found.aa_size is None:
        return "How often it raises a false alarm was not measured."
    if found.n_tests > found.n_windows or not found.n_separate_windows:  # drawn by chance: many draws a window
        return (
            f"In {found.n_tests:,} simulated tests of past weeks in which nothing had changed, it reported an effect "
            f"{found.aa_size:.1%} of the time ({asked})."
        )
    separate = counted(found.n_separate_windows, "window")
    if found.n_separate_windows < FEW_WINDOWS:
        return (
            f"How often it raises a false alarm cannot be told: the history holds only {separate} of this length "
            "that do not overlap."
        )
    low, high = wilson(found.aa_size, found.n_separate_windows)
    return (
        f"In past weeks in which nothing had changed, it reported an effect {found.aa_size:.0%} of the time ({asked}). "
        f"That rests on {separate} that do not overlap, so the true rate may be anywhere from {low:.0%} to {high:.0%}."
    )


def wilson(share: float, n: int) -> tuple[float, float]:
    """Wilson's 90 % range of a share that was seen in n cases."""
    z2 = _Z90 * _Z90 / n
    middle, reach = share + z2 / 2, _Z90 * ((share * (1 - share) + z2 / 4) / n) ** 0.5
    return max((middle - reach) / (1 + z2), 0.0), min((middle + reach) / (1 + z2), 1.0)


def show_power(found: Power, unit: str) -> None:
    """What the test can detect, effect by effect, and what that means in money."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print(f"[bold]{power_sentence(found)}[/]", highlight=False)
    table = Table("Effect", "Found", box=None, pad_edge=False)
    for point in found.curve:
        if any(abs(point.effect_rel - shown) < 1e-9 for shown in _SHOWN_EFFECTS):
            table.add_row(f"{point.effect_rel:.0%}", f"{point.power:.0%}")
    console.print(table)
    if found.spend_change_abs is not None:
        console.print(f"Spend that the test changes: {found.spend_change_abs:,.0f}.", highlight=False)
    if found.return_at_mde is not None:
        said = (
            f"a cost of {1 / found.return_at_mde:,.2f} a unit or less"
            if unit == "units"
            else f"a return of {found.return_at_mde:.2f} per 1 spent or more"
        )
        console.print(f"So it can tell {said} from nothing.", highlight=False)
    weather = ", weather taken out as the read-out does" if found.weather_adjusted else ""
    console.print(
        f"{found.n_tests} simulated tests in {found.n_windows} windows of this design's own history{weather}.",
        highlight=False,
    )


def show_result(found: StoredResult) -> None:
    """Each read-out with its views, its return and its caveats."""
    from rich.console import Console
    from rich.table import Table

    from weathervane.experiments.panel import named

    console = Console()
    for one in found.read_outs:
        result = one.result
        console.print(f"[bold]{result.sentence}[/]", highlight=False)
        table = Table("", "Lift", "From", "To", "p", box=None, pad_edge=False)
        lifts = [("as sold", one.plain.result)]
        if one.weather_adjusted is not None:
            lifts.append(("weather taken out", one.weather_adjusted.result))
        if one.with_all_places is not None:
            lifts.append((f"with {named(one.left_out)} in", one.with_all_places))
        for name, lift in lifts:
            ends = (_or_unbounded(lift.lift_rel_low), _or_unbounded(lift.lift_rel_high))
            table.add_row(name, f"{lift.lift_rel:+.1%}", *ends, f"{lift.p_value:.3f}")
        console.print(table)
        if result.lift_abs_per_geo_day is not None:
            each = f"{result.lift_abs_per_geo_day:,.0f} a treated trigger day of a place"
            console.print(f"Lift: {result.lift_abs:,.0f} {result.kpi_unit} in total, {each}.", highlight=False)
        if result.iroas is not None:
            ends = f"from {_figure(result.iroas_low)} to {_figure(result.iroas_high)}"
            console.print(f"Return: {result.iroas:.2f} {result.kpi_unit} per 1 spent ({ends}).", highlight=False)
        if result.cpic is not None:
            ends = f"from {_figure(result.cpic_low)} to {_figure(result.cpic_high)}"
            console.print(f"Cost of one more unit: {result.cpic:,.2f} ({ends}).", highlight=False)
        for text in (*result.caveats, *found.departures):
            console.print(f"  ! {text}", highlight=False)


def _or_unbounded(value: float | None) -> str:
    return "unbounded" if value is None else f"{value:+.1%}"


def _figure(value: float | None) -> str:
    return "unbounded" if value is None else f"{value:,.2f}"


def show_grade(found: SplitGrade) -> None:
    """How well somebody else's split can answer, and what it cannot."""
    from rich.console import Console

    console = Console()
    console.print(
        f"[bold]{found.verdict.capitalize()}[/]: {found.n_treated} treated, {found.n_control} control places; "
        f"the arms differ by up to {found.worst_smd:.2f} standard deviations, and {found.better_share:.0%} of random "
        "splits are at least as well balanced.",
        highlight=False,
    )
    for text in found.can:
        console.print(f"  ✓ {text}", highlight=False)
    for text in found.cannot:
        console.print(f"  ✗ {text}", highlight=False)
