"""Calibration charts: a calibration run as PNG pictures, the same bytes for the same run."""

from __future__ import annotations

import io
from math import ceil
from typing import TYPE_CHECKING

from weathervane.contracts.calibration import CalibrationRun, Coverage, Score
from weathervane.contracts.figures import amount, share, short_day, step_of

if TYPE_CHECKING:  # matplotlib takes a third of a second to load: only drawing pays for it
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

_INK, _QUIET, _PAPER, _RULE = "#1f2328", "#5b636b", "#ffffff", "#d9dde1"
_ACCENT, _BEFORE = "#2f5d8a", "#b9a27a"
# Told apart by those who see red and green alike.
_CAUSES = {"weather": "#2f5d8a", "plan": "#c28f1d", "promotion": "#7b2d5b", "model": "#b9c0c6"}
_STYLE: dict[RcKeyType, object] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": _INK,
    "axes.edgecolor": _RULE,
    "axes.labelcolor": _QUIET,
    "xtick.color": _QUIET,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
}


def calibration_charts(run: CalibrationRun) -> dict[str, bytes]:
    """PNG bytes by name: reliability, coverage, pit, width, skill, misses; those without data left out."""
    import matplotlib as mpl

    with mpl.rc_context(_STYLE):
        drawn = {
            "reliability": _reliability(run),
            "coverage": _coverage(run),
            "pit": _pit(run),
            "width": _width(run),
            "skill": _skill(run) if any(each.skill is not None for each in run.record.by_lead_group) else None,
            "misses": _misses(run) if run.misses else None,
        }
        return {name: _png(figure) for name, figure in drawn.items() if figure is not None}


def _reliability(run: CalibrationRun) -> Figure:
    """Promised share below each level against the share found, with its interval; on the line is right."""
    figure, axes = _canvas(run, "What was promised, and what was found", 5.2)
    axes.plot([0, 1], [0, 1], color=_RULE, lw=1.4, zorder=0)
    found = run.record.reliability
    before = [(each.level, each.share_before) for each in found if each.share_before is not None]
    if before:
        axes.plot(*zip(*before, strict=True), "o--", color=_BEFORE, ms=5, lw=1, label="before recalibration")
    for each in found:
        axes.plot([each.level] * 2, [each.low, each.high], color=_ACCENT, alpha=0.4, lw=5, solid_capstyle="butt")
    label = "issued, with 95 % interval" if before else "found, with 95 % interval"
    axes.plot([each.level for each in found], [each.share for each in found], "o-", color=_ACCENT, lw=1.4, label=label)
    axes.set_aspect("equal")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda x, _: share(x))
    axes.set_xlabel("share of outcomes that a quantile says lie below it")
    axes.set_ylabel("share that did")
    axes.legend(loc="lower right", frameon=False)
    _quiet(axes, "both")
    return figure


def _coverage(run: CalibrationRun) -> Figure:
    """Coverage of the three intervals by lead; the 80 % one with its interval."""
    leads, scores = _leads(run)
    figure, axes = _canvas(run, "How often the range held, by lead", 4.4)
    for nominal in (each.nominal for each in run.record.overall.coverage):
        found = [each.of(nominal) for each in scores]
        main = nominal == run.rules.interval
        axes.axhline(nominal, color=_INK if main else _QUIET, lw=1, ls="--")
        width, size, alpha = (1.6, 5, 1.0) if main else (1.0, 3, 0.6)
        axes.plot(leads, [each.share for each in found], "o-", color=_ACCENT, lw=width, ms=size, alpha=alpha)
        if main:
            _band(axes, leads, found)
        axes.annotate(share(nominal), (1, nominal), (4, 0), xycoords=("axes fraction", "data"), va="center",
                      textcoords="offset points", color=_QUIET)  # fmt: skip
    lowest = min(each.of(run.rules.interval).low for each in scores)
    axes.set_ylim(max(0.0, min(0.35, lowest - 0.05)), 1.0)
    axes.yaxis.set_major_formatter(lambda y, _: share(y))
    _lead_axis(axes, run, leads)
    _foot(figure, "Dashed: promised. Shaded: the 95 % interval of what the 80 % range held, by resampling stretches.")
    return figure


def _band(axes: Axes, leads: list[int], found: list[Coverage]) -> None:
    low, high = [each.low for each in found], [each.high for each in found]
    if len(leads) > 1:
        axes.fill_between(leads, low, high, color=_ACCENT, alpha=0.18, lw=0)
    else:
        axes.plot(leads * 2, [low[0], high[0]], color=_ACCENT, alpha=0.4, lw=6, solid_capstyle="butt")


def _pit(run: CalibrationRun) -> Figure:
    """Density of outcomes between quantiles: even where right, a valley where too wide, a U where too narrow."""
    figure, axes = _canvas(run, "Where outcomes fell in the forecast's range", 4.0)
    for each in run.record.pit:
        axes.bar(
            each.start,
            each.share / each.expected,
            each.end - each.start,
            align="edge",
            color=_ACCENT,
            alpha=0.75,
            edgecolor=_PAPER,
        )
    axes.axhline(1, color=_INK, lw=1, ls="--")
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(lambda x, _: share(x))
    axes.set_xlabel("probability the forecast gave to less")
    axes.set_ylabel("outcomes over expected")
    _quiet(axes, "y")
    _foot(figure, "Even at the dashed line: right. High at the ends: too narrow. High in the middle: too wide.")
    return figure


def _width(run: CalibrationRun) -> Figure:
    """Mean width of the 80 % interval by lead."""
    leads, scores = _leads(run)
    figure, axes = _canvas(run, "How wide the 80 % range is, by lead", 3.6)
    widths = [each.width for each in scores]
    axes.plot(leads, widths, "o-", color=_ACCENT, lw=1.6)
    axes.set_ylim(0, 1.15 * max(widths))
    unit, step = run.currency if run.outcome_is_money else "", step_of(max(widths))
    axes.yaxis.set_major_formatter(lambda y, _: amount(y, unit, step))
    axes.set_ylabel("mean width of a series")
    _lead_axis(axes, run, leads)
    return figure


def _skill(run: CalibrationRun) -> Figure:
    """Error of the forecast beside the floor's by group of leads, and what it takes off with its interval."""
    groups = [each for each in run.record.by_lead_group if each.skill is not None and each.wape_floor is not None]
    figure, axes = _canvas(run, "Error beside the best simple method", 1.7 + 0.62 * max(2, len(groups)))
    for row, each in enumerate(reversed(groups)):
        axes.barh(row + 0.19, each.wape or 0.0, 0.34, color=_ACCENT)
        axes.barh(row - 0.19, each.wape_floor or 0.0, 0.34, color=_BEFORE)
        axes.annotate(f"{share(each.wape or 0.0)}: {_less(each)}", (each.wape or 0.0, row + 0.19), (5, 0),
                      textcoords="offset points", va="center", color=_ACCENT)  # fmt: skip
        axes.annotate(f"simple method {share(each.wape_floor or 0.0)}", (each.wape_floor or 0.0, row - 0.19), (5, 0),
                      textcoords="offset points", va="center", color=_QUIET)  # fmt: skip
    axes.set_yticks(range(len(groups)), [each.group for each in reversed(groups)])
    axes.set_xlim(0, 1.6 * max(max(each.wape or 0.0, each.wape_floor or 0.0) for each in groups))
    axes.xaxis.set_major_formatter(lambda x, _: share(x))
    axes.set_xlabel("WAPE: absolute error over what was sold")
    _quiet(axes, "x")
    return figure


def _less(score: Score) -> str:
    """`29 % less (24 to 33 %)`."""
    skill = score.skill or 0.0
    word = "less" if skill >= 0 else "more"
    if score.skill_low is None or score.skill_high is None:
        return f"{share(abs(skill))} {word}"
    return f"{share(abs(skill))} {word} (95 %: {share(score.skill_low)} to {share(score.skill_high)})"


def _misses(run: CalibrationRun) -> Figure:
    """Each week's miss as parts stacked either side of zero; the dot is the whole miss."""
    figure, axes = _canvas(run, "Why weeks missed: actual less forecast", 4.4)
    places = range(len(run.misses))
    above, below = [0.0] * len(run.misses), [0.0] * len(run.misses)
    for cause, colour in _CAUSES.items():
        values = [getattr(miss, cause) for miss in run.misses]
        base = [above[i] if value >= 0 else below[i] for i, value in enumerate(values)]
        axes.bar(places, values, 0.72, bottom=base, color=colour, label=cause)
        for i, value in enumerate(values):
            if value >= 0:
                above[i] += value
            else:
                below[i] += value
    axes.plot(places, [miss.error for miss in run.misses], "o", color=_INK, ms=4, label="whole miss")
    axes.axhline(0, color=_INK, lw=1)
    reach = max(*above, *(-value for value in below), 1e-9)
    axes.set_ylim(-1.35 * reach, 1.15 * reach)
    every = ceil(len(run.misses) / 6)
    axes.set_xticks(places[::every], [short_day(miss.week.start)[4:] for miss in run.misses[::every]])
    unit, step = run.currency if run.outcome_is_money else "", step_of(reach)
    axes.yaxis.set_major_formatter(lambda y, _: amount(y, unit, step))
    axes.set_xlabel("week from")
    axes.legend(loc="lower left", frameon=False, ncols=5)
    _quiet(axes, "y")
    return figure


def _leads(run: CalibrationRun) -> tuple[list[int], list[Score]]:
    scores = list(run.record.by_lead)
    return [int(each.group.split()[0]) for each in scores], scores


def _lead_axis(axes: Axes, run: CalibrationRun, leads: list[int]) -> None:
    axes.set_xlabel(f"lead, {run.record.by_lead[-1].group.split()[1].removesuffix('s')}s")
    axes.set_xticks(leads if len(leads) <= 14 else leads[:: len(leads) // 14 + 1])
    _quiet(axes, "y")


def _quiet(axes: Axes, grid: str) -> None:
    axes.tick_params(length=0, pad=5)
    axes.grid(axis=grid, color=_RULE, lw=0.6)  # pyright: ignore[reportArgumentType]  one of x, y, both
    axes.set_axisbelow(True)


def _canvas(run: CalibrationRun, title: str, height: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.4, height), dpi=110, facecolor=_PAPER)
    figure.text(0.03, 1 - 0.34 / height, title, fontsize=13, fontweight="bold", va="center")
    told = f"{run.tenant_name} · {'issued forecasts' if run.source == 'ledger' else 'backtest'}, "
    told += f"{run.window.start} to {run.window.end}, n = {run.n:,}"
    figure.text(0.03, 1 - 0.64 / height, told, color=_QUIET, va="center")
    if run.demo:
        badge = {"boxstyle": "round,pad=0.4", "facecolor": _QUIET, "edgecolor": "none"}
        mark = figure.text(0.97, 1 - 0.36 / height, "DEMO", color=_PAPER, va="center", ha="right", bbox=badge)
        mark.set(fontsize=9, fontweight="bold")
    return figure, figure.add_axes((0.13, 0.82 / height, 0.79, 1 - 1.72 / height))


def _foot(figure: Figure, text: str) -> None:
    figure.text(0.03, 0.14 / figure.get_figheight(), text, fontsize=8.5, color=_QUIET)


def _png(figure: Figure) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    out = io.BytesIO()
    # The version of the drawing library would change the bytes without changing the picture.
    FigureCanvasAgg(figure).print_figure(out, format="png", metadata={"Software": None})
    return out.getvalue()
