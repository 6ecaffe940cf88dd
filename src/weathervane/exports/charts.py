"""Charts: a plan as four PNG pictures, the same bytes for the same plan."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

from weathervane.contracts.figures import amount, ratio, share, short_day, step_of, whole_money
from weathervane.contracts.plan import BudgetPlan, DemandDay, PlanLine
from weathervane.exports.chart_style import INK, PAPER, QUIET, RULE, png, style

if TYPE_CHECKING:  # matplotlib takes a third of a second to load: only drawing pays for it
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_UP, _DOWN, _ACCENT = "#0f766e", "#7b2d5b", "#2f5d8a"
_COLD, _NORMAL, _WARM = "#2166ac", "#ead9b5", "#a6431c"
_MOST_LINES = 16


def plan_charts(plan: BudgetPlan) -> dict[str, bytes]:
    """PNG bytes by name: changes, demand, returns, accuracy. A picture whose data is missing is left out."""
    import matplotlib as mpl

    with mpl.rc_context(style()):
        drawn = {
            "changes": _changes(plan),
            "demand": _demand(plan) if plan.demand else None,
            "returns": _returns(plan) if plan.channels else None,
            "accuracy": _accuracy(plan) if plan.forecast_quality.scores else None,
        }
        return {name: png(figure) for name, figure in drawn.items() if figure is not None}


def _changes(plan: BudgetPlan) -> Figure:
    """Bars of every changed line, the largest first; in a plan that keeps, what each line's next unit would bring."""
    moved = sorted(
        (line for line in plan.lines if line.change.minor),
        key=lambda line: (-abs(line.change.minor), line.geo, line.channel),
    )
    if not moved:
        return _marginals(plan)
    shown = moved[:_MOST_LINES]
    up = sum(line.change.minor > 0 for line in moved)
    figure, axes = _canvas(plan, f"{up} up, {len(moved) - up} down: change of budget by line", len(shown))
    rows = range(len(shown))[::-1]
    values = [line.change.major for line in shown]
    axes.barh(rows, values, color=[_UP if value > 0 else _DOWN for value in values], height=0.62)
    reach = max(abs(value) for value in values)
    for row, line in zip(rows, shown, strict=True):
        value, arrow = line.change.major, "▲" if line.change.minor > 0 else "▼"
        label = f"{arrow} {whole_money(line.change, signed=True)}  ({share(line.change_rel, signed=True)})"
        # On the far side of zero the label always has room.
        axes.annotate(label, (0, row), (-6 if value > 0 else 6, 0), textcoords="offset points", va="center",
                      ha="right" if value > 0 else "left", color=_UP if value > 0 else _DOWN)  # fmt: skip
    axes.set_xlim(-1.25 * reach, 1.25 * reach)
    _rows(axes, [_title_of(plan, line) for line in shown])
    _zero(axes)
    axes.set_xlabel(f"change over the plan period, {plan.currency}")
    axes.xaxis.set_major_formatter(lambda x, _: amount(x, plan.currency, _tick_step(reach), signed=True))
    if len(moved) > len(shown):
        _foot(figure, f"The {len(shown)} largest of {len(moved)} changed lines.")
    return figure


def _marginals(plan: BudgetPlan) -> Figure:
    shown = sorted(plan.lines, key=lambda line: (-line.current.minor, line.geo, line.channel))[:_MOST_LINES]
    one = amount(1, plan.currency, 1)
    figure, axes = _canvas(plan, f"Budget kept: what the next {one} brings in each line", len(shown))
    for row, line in zip(range(len(shown))[::-1], shown, strict=True):
        _interval(axes, row, line.marginal_return.p10, line.marginal_return.p50, line.marginal_return.p90)
    _rows(axes, [_title_of(plan, line) for line in shown])
    _zero(axes)
    axes.set_xlabel(f"{_outcome(plan)} per {one}; bars hold 8 in 10")
    if len(plan.lines) > len(shown):
        _foot(figure, f"The {len(shown)} largest of {len(plan.lines)} lines.")
    return figure


def _demand(plan: BudgetPlan) -> Figure:
    """Actuals as dots, the forecast as a band, and above them how far each day's temperature is from normal."""
    from matplotlib.colors import LinearSegmentedColormap

    figure = _figure(4.6)
    grid = figure.add_gridspec(2, 1, height_ratios=(1, 11), left=0.1, right=0.97, top=0.78, bottom=0.12, hspace=0.06)
    strip, axes = figure.add_subplot(grid[0]), figure.add_subplot(grid[1])
    _head(figure, plan, f"{_outcome(plan)}: what happened and what is forecast")
    days = [each.date for each in plan.demand]
    step = min((b - a for a, b in pairwise(days)), default=date.resolution)
    x = [(each - days[0]).days for each in days]
    diverging = LinearSegmentedColormap.from_list("anomaly", [_COLD, _NORMAL, _WARM])
    for place, each in zip(x, plan.demand, strict=True):
        if each.temp_anomaly_z is not None:
            colour = diverging(min(1.0, max(0.0, 0.5 + each.temp_anomaly_z / 6)))
            strip.bar(place, 1, width=step.days, color=colour)
    _strip_note(strip, plan.demand)
    past = [(place, each.actual) for place, each in zip(x, plan.demand, strict=True) if each.actual is not None]
    coming = [(place, each.forecast) for place, each in zip(x, plan.demand, strict=True) if each.forecast is not None]
    axes.plot([p for p, _ in past], [v for _, v in past], "o", ms=3.6, color=INK, label="actual")
    if coming:
        at = [p for p, _ in coming]
        axes.axvspan(at[0] - step.days / 2, at[-1] + step.days / 2, color=_ACCENT, alpha=0.06, lw=0)
        low, high = [q.p10 for _, q in coming], [q.p90 for _, q in coming]
        axes.fill_between(at, low, high, color=_ACCENT, alpha=0.28, lw=0, label="forecast, 8 in 10")
        axes.plot(at, [q.p50 for _, q in coming], color=_ACCENT, lw=1.4, label="forecast, middle")
    for each in (strip, axes):
        each.set_xlim(x[0] - step.days / 2, x[-1] + step.days / 2)
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    ticks = x[:: max(1, len(x) // 6)]
    axes.set_xticks(ticks, [short_day(days[x.index(tick)]) for tick in ticks])
    unit = plan.currency if plan.outcome_is_money else ""
    axes.yaxis.set_major_formatter(lambda y, _: amount(y, unit, _tick_step(axes.get_ylim()[1])))
    axes.tick_params(length=0, pad=6)
    axes.grid(axis="y", color=RULE, lw=0.6)
    axes.set_axisbelow(True)
    axes.legend(loc="lower left", frameon=False, ncols=3)
    return figure


def _strip_note(strip: Axes, days: tuple[DemandDay, ...]) -> None:
    known = any(each.temp_anomaly_z is not None for each in days)
    strip.set_ylim(0, 1)
    strip.set_xticks([])
    strip.set_yticks([])
    strip.spines["bottom"].set_visible(False)
    note = "temperature against normal: blue colder, sand normal, rust warmer" if known else "no weather known"
    strip.set_title(note, loc="left", fontsize=9, color=QUIET, pad=3)


def _returns(plan: BudgetPlan) -> Figure:
    """Return on spend by channel with its 80 and 90 % intervals; zero and break-even marked."""
    one = amount(1, plan.currency, 1)
    channels = plan.channels[:_MOST_LINES]
    unsure = [each.channel for each in channels if not each.told_from_zero]
    title = "Every channel's return is told from zero" if not unsure else f"Not told from zero: {', '.join(unsure)}"
    figure, axes = _canvas(plan, title, len(channels))
    for row, each in zip(range(len(channels))[::-1], channels, strict=True):
        if each.standing == "not_measured":
            axes.annotate("not measured", (0.0, row), (6, -3), textcoords="offset points", color=QUIET)
            continue
        axes.plot([each.roi_p05, each.roi_p95], [row, row], color=_ACCENT, alpha=0.3, lw=9, solid_capstyle="butt")
        _interval(axes, row, each.roi.p10, each.roi.p50, each.roi.p90)
        axes.annotate(ratio(each.roi.p50), (each.roi.p50, row), (0, 9), textcoords="offset points", ha="center")
    _rows(axes, [each.channel.replace("_", " ") for each in channels])
    _zero(axes)
    axes.set_xlabel(f"{_outcome(plan)} caused per {one} of all spend so far; dark holds 8 in 10, light 9 in 10")
    return figure


def _accuracy(plan: BudgetPlan) -> Figure:
    """Our error beside the floors, and how often the 80 % interval held the truth."""
    quality = plan.forecast_quality
    figure = _figure(3.6)
    _head(figure, plan, f"Forecast: {quality.verdict}")
    grid = figure.add_gridspec(1, 2, left=0.2, right=0.95, top=0.74, bottom=0.2, wspace=0.3)
    left, right = figure.add_subplot(grid[0]), figure.add_subplot(grid[1])
    scores = quality.scores
    rows = range(len(scores))[::-1]
    colours = [_ACCENT if score.method == quality.chosen else QUIET for score in scores]
    left.barh(rows, [score.wape for score in scores], color=colours, height=0.55)
    for row, score in zip(rows, scores, strict=True):
        left.annotate(share(score.wape), (score.wape, row), (5, 0), textcoords="offset points", va="center")
    _rows(left, [score.method for score in scores])
    left.set_xlim(0, 1.25 * max(score.wape for score in scores))
    left.xaxis.set_major_formatter(lambda x, _: share(x))
    left.locator_params(axis="x", nbins=4)
    left.set_xlabel(f"error of the total (WAPE), n = {scores[0].n:,}")
    right.plot(
        [quality.coverage_low, quality.coverage_high], [0, 0], color=_ACCENT, alpha=0.35, lw=9, solid_capstyle="butt"
    )
    right.plot([quality.coverage_80], [0], "o", color=_ACCENT, ms=7)
    right.annotate(
        share(quality.coverage_80), (quality.coverage_high, 0), (7, 0), textcoords="offset points", va="center"
    )
    right.axvline(0.8, color=INK, lw=1, ls="--")
    right.annotate("promised", (0.8, 0.8), (-4, 0), textcoords="offset points", ha="right", color=QUIET)
    right.set_xlim(min(0.5, quality.coverage_low - 0.05), 1.0)
    right.set_ylim(-1, 1)
    right.set_yticks([])
    right.xaxis.set_major_formatter(lambda x, _: share(x))
    right.set_xlabel(f"truth inside the 80 % interval, n = {quality.n:,}")
    right.tick_params(length=0)
    return figure


def _figure(height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(8.4, height), dpi=144, facecolor=PAPER)


def _canvas(plan: BudgetPlan, title: str, rows: int) -> tuple[Figure, Axes]:
    height = 1.9 + 0.36 * max(2, rows)
    figure = _figure(height)
    _head(figure, plan, title)
    axes = figure.add_axes((0.24, 0.72 / height, 0.72, 1 - 1.66 / height))
    return figure, axes


def _head(figure: Figure, plan: BudgetPlan, title: str) -> None:
    height = figure.get_figheight()
    period = f"{short_day(plan.period.start)} to {short_day(plan.period.end)} {plan.period.end.year}"
    figure.text(0.03, 1 - 0.36 / height, title, fontsize=13, fontweight="bold", va="center")
    figure.text(0.03, 1 - 0.66 / height, f"{plan.tenant_name} · {period}", color=QUIET, va="center")
    if plan.demo:
        badge = {"boxstyle": "round,pad=0.4", "facecolor": QUIET, "edgecolor": "none"}
        mark = figure.text(0.97, 1 - 0.36 / height, "DEMO", color=PAPER, va="center", ha="right", bbox=badge)
        mark.set(fontsize=9, fontweight="bold")


def _foot(figure: Figure, text: str) -> None:
    figure.text(0.03, 0.12 / figure.get_figheight(), text, fontsize=8.5, color=QUIET)


def _rows(axes: Axes, labels: list[str]) -> None:
    axes.set_yticks(range(len(labels))[::-1], labels)
    axes.set_ylim(-0.7, len(labels) - 0.3)
    axes.tick_params(length=0)
    axes.grid(axis="x", color=RULE, lw=0.6)
    axes.set_axisbelow(True)


def _interval(axes: Axes, row: int, low: float, middle: float, high: float) -> None:
    axes.plot([low, high], [row, row], color=_ACCENT, alpha=0.75, lw=4, solid_capstyle="butt")
    axes.plot([middle, middle], [row - 0.2, row + 0.2], color=INK, lw=1.6)


def _zero(axes: Axes) -> None:
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, 0.0), max(high, 0.0))
    axes.axvline(0, color=INK, lw=1)


def _tick_step(reach: float) -> float:
    return max(step_of(reach), 1e-2)


def _title_of(plan: BudgetPlan, line: PlanLine) -> str:
    places = {geo.geo: geo.name for geo in plan.geos}
    return f"{places.get(line.geo, line.geo)} · {line.channel.replace('_', ' ')}"


def _outcome(plan: BudgetPlan) -> str:
    name = plan.outcome.replace("_", " ")
    return name[:1].upper() + name[1:]
