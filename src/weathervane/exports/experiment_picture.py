"""Experiment picture: one read-out as one PNG: actual beside counterfactual, by day, summed, and placebos."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from weathervane.contracts.experiment import EffectDay, LiftResult, ReadOut, View
from weathervane.contracts.figures import counted, short_day
from weathervane.exports.chart_style import INK, QUIET, png, style

if TYPE_CHECKING:  # matplotlib takes a third of a second to load: only drawing pays for it
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ACTUAL, _WITHOUT, _BAND = "#1f2328", "#2f5d8a", "#2f5d8a"
_WINDOWS_SHOWN = 3  # of history, in lengths of the test
_LINE = 104


def experiment_picture(read_out: ReadOut, *, demo: bool = False) -> bytes:
    """PNG bytes, the same for the same read-out: the view that counts, with weather taken out where it is known."""
    import matplotlib as mpl

    with mpl.rc_context(style(left_spine=True)):
        return png(_draw(read_out.weather_adjusted or read_out.plain, read_out.weather_adjusted is not None, demo))


def _draw(view: View, adjusted: bool, demo: bool) -> Figure:
    from matplotlib.figure import Figure as NewFigure

    figure = NewFigure(figsize=(10.0, 10.6), dpi=110)
    grid = figure.add_gridspec(
        4, 1, left=0.16, right=0.97, top=0.84, bottom=0.05, hspace=0.5, height_ratios=(4, 3, 3, 3)
    )
    result, days = view.result, _shown(view.days)
    _head(figure, result, adjusted, demo)
    outcome, daily, summed, placebos = (figure.add_subplot(grid[i]) for i in range(4))
    at = list(range(len(days)))
    first = next(i for i, day in enumerate(days) if day.effect is not None)
    cooled = first + result.window.n_days
    _title(outcome, f"Treated places, total by day, {result.kpi_unit}")
    outcome.plot(at, [day.actual for day in days], color=_ACTUAL, lw=1.5, label="actual")
    outcome.plot(
        at, [day.counterfactual for day in days], color=_WITHOUT, lw=1.5, ls="--", label="expected from control places"
    )
    outcome.legend(loc="lower right", bbox_to_anchor=(1.0, 0.98), frameon=False, ncols=2, fontsize=9)  # on no line
    tested = days[first:]
    _title(daily, "What ads added, by day")
    _band(daily, at[first:], [(d.effect, d.effect_low, d.effect_high) for d in tested])
    _title(summed, "What ads added, summed")
    _band(summed, at[first:], [(d.cumulative, d.cumulative_low, d.cumulative_high) for d in tested])
    for axes in (outcome, daily, summed):
        axes.axvspan(first - 0.5, min(cooled, len(days)) - 0.5, color=_BAND, alpha=0.07, lw=0)
        axes.axvline(first - 0.5, color=QUIET, lw=0.8)
        ticks = sorted({*range(0, len(days), max(7 * (len(days) // 49), 7))})
        axes.set_xticks(ticks, [short_day(days[i].date) for i in ticks], fontsize=8)
        axes.set_xlim(
            -0.5 if axes is outcome else max(first - 7.5, -0.5), len(days) - 0.5
        )  # last: ticks would widen it again
        axes.yaxis.set_major_formatter(lambda x, _: f"{x:,.0f}")
    _placebos(placebos, view)
    return figure


def _shown(days: Sequence[EffectDay]) -> Sequence[EffectDay]:
    """The test, and before it as much history as fits."""
    tested = sum(day.effect is not None for day in days)
    return days[-(1 + _WINDOWS_SHOWN) * tested :]


def _head(figure: Figure, result: LiftResult, adjusted: bool, demo: bool) -> None:
    import textwrap

    lines = textwrap.wrap(result.sentence, _LINE)
    figure.text(0.03, 0.975, "\n".join(lines), va="top", fontsize=11, fontweight="bold")
    facts = (
        f"{result.experiment_id} · {result.window.start} to {result.window.end} (shaded), then {result.cooldown_days} "
        f"days to cool down · {counted(result.n_geos_treatment, 'treated place')}, "
        f"{counted(result.n_geos_control, 'control place')}\n"
        f"{result.estimator.replace('_', ' ')}, {result.test.replace('_', ' ')} test, p = {result.p_value:.3f}; "
        f"{_bands(result)}{'; weather taken out' if adjusted else ''}"
    )
    figure.text(0.03, 0.975 - 0.019 * len(lines) - 0.012, facts, va="top", fontsize=9, color=QUIET, linespacing=1.5)
    if demo:
        figure.text(0.97, 0.005, "DEMO: every number here is generated", ha="right", fontsize=9, color="#a6431c")


def _bands(result: LiftResult) -> str:
    sure = result.trusted and result.false_alarm_share is None
    return f"bands hold {1 - result.alpha:.0%}" if sure else "bands hold less than they should, see the sentence"


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=10, color=INK, pad=6)


def _band(axes: Axes, at: Sequence[int], values: Sequence[tuple[float | None, float | None, float | None]]) -> None:
    middle = [m if m is not None else 0.0 for m, _, _ in values]
    reach = 3.0 * max((abs(v) for v in middle), default=1.0) or 1.0
    low = [lo if lo is not None else -10.0 * reach for _, lo, _ in values]
    high = [hi if hi is not None else 10.0 * reach for _, _, hi in values]
    bounded = [v for one in values for v in one if v is not None]
    least, most = 1.08 * min(0.0, *bounded, -reach / 10), 1.08 * max(0.0, *bounded, reach / 10)
    if any(v is not None for _, *ends in values for v in ends):
        axes.fill_between(at, low, high, color=_BAND, alpha=0.2, lw=0)
    axes.plot(at, middle, color=_WITHOUT, lw=1.5, marker="o", ms=2.6)
    axes.axhline(0, color=INK, lw=0.8)
    axes.set_ylim(least, most)
    if any(v is None for one in values for v in one):
        every = all(low is None and high is None for _, low, high in values)
        said = "no day has bounds" if every else "unbounded where the band leaves the frame"
        axes.annotate(said, (0.995, 1.04), xycoords="axes fraction", ha="right", fontsize=9, color=QUIET)


def _placebos(axes: Axes, view: View) -> None:
    """The lift beside every lift found where there was none, each at its size."""
    space = [each for each in view.placebos if each.kind == "space"]
    time = [each for each in view.placebos if each.kind == "time"]
    _title(axes, "The result (diamond) beside placebos: lift found where no ads changed")
    rows = [row for row in (("control places", space), ("earlier weeks", time)) if row[1]]
    for row, (_, members) in enumerate(rows):
        axes.plot([each.lift_rel for each in members], [row] * len(members), "o", ms=6, color=QUIET, alpha=0.45)
    result = view.result
    axes.plot([result.lift_rel], [len(rows)], "D", ms=8, color=_WITHOUT)
    low, high = result.lift_rel_low, result.lift_rel_high
    if low is not None and high is not None:
        axes.plot([low, high], [len(rows)] * 2, color=_WITHOUT, lw=2)
    axes.axvline(0, color=INK, lw=0.8)
    axes.set_yticks(
        range(len(rows) + 1), [*(f"{name} ({len(members)})" for name, members in rows), "the test"], fontsize=9
    )
    axes.set_ylim(-0.6, len(rows) + 0.6)
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:+.0%}" if abs(x) > 1e-9 else "0%")
