"""Media mix charts: an examination's figures as PNG pictures, the same bytes for the same examination."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import date
from math import nan
from typing import TYPE_CHECKING

from weathervane.contracts.examination import Contributions, CurveChart, DensityChart, Examination, Part, Series
from weathervane.contracts.figures import amount, channel_name, share, step_of
from weathervane.exports.chart_style import INK, PAPER, QUIET, RULE, png, style

if TYPE_CHECKING:  # matplotlib takes a third of a second to load: only drawing pays for it
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ACCENT, _PRIOR, _AGAINST = "#2f5d8a", "#b9b2a3", "#7b2d5b"
_BASELINE, _OTHERS = "#d9d4c7", "#9aa3ab"
# Eight channels that can be told apart by those who see red and green alike; further ones are one colour.
_CHANNELS = ("#2f5d8a", "#a6431c", "#0f766e", "#c28f1d", "#7b2d5b", "#6aa1cf", "#8a6f4d", "#8fbf9f")
_CONDITIONS = ("#e3b7a0", "#c9b6d6", "#b5cbb0", "#b7c7d6")  # weather, price, events, weeks
_MOST_CHANNELS, _MOST_CURVES, _ACROSS = 8, 12, 3
_MARGIN_LETTERS = 20


def mmm_charts(made: Examination) -> dict[str, bytes]:
    """PNG bytes by name: fit, contributions, curves, prior_posterior, correlations; those without data left out."""
    import matplotlib as mpl

    with mpl.rc_context(style()):
        drawn = {
            "fit": _fit(made, made.contributions) if made.contributions else None,
            "contributions": _contributions(made, made.contributions) if made.contributions else None,
            "curves": _curves(made) if made.curves else None,
            "prior_posterior": _prior_posterior(made) if made.densities else None,
            "correlations": _correlations(made) if len(made.correlations.channels) > 1 else None,
        }
        return {name: png(figure) for name, figure in drawn.items() if figure is not None}


def _fit(made: Examination, whole: Contributions) -> Figure:
    """Observed dots on the fitted band, and below them what the fit leaves over."""
    error = _error(whole.observed, whole.fitted.p50)
    figure = _figure(5.4)
    _head(figure, made, f"Fit: the model misses by {share(error)} of sales in the sample")
    grid = figure.add_gridspec(2, 1, height_ratios=(3, 1), left=0.11, right=0.97, top=0.84, bottom=0.08, hspace=0.1)
    axes, below = figure.add_subplot(grid[0]), figure.add_subplot(grid[1])
    x = range(len(whole.starts))
    axes.fill_between(
        x, whole.fitted.p05, whole.fitted.p95, color=_ACCENT, alpha=0.28, lw=0, label="fitted mean, 9 in 10"
    )
    axes.plot(x, whole.fitted.p50, color=_ACCENT, lw=1.3, label="fitted, middle")
    seen = [(i, value) for i, value in zip(x, whole.observed, strict=True) if value is not None]
    size = 2.6 if len(x) < 200 else 1.4
    axes.plot([i for i, _ in seen], [value for _, value in seen], "o", ms=size, color=INK, label="observed")
    low, high = _reach([value for _, value in seen] + list(whole.fitted.p50))
    axes.set_ylim(low - 0.22 * (high - low), high + 0.05 * (high - low))
    axes.legend(loc="lower left", frameon=False, ncols=3)
    left = [value - whole.fitted.p50[i] for i, value in seen]
    below.bar([i for i, _ in seen], left, width=1.0, color=[_ACCENT if r >= 0 else _AGAINST for r in left])
    below.axhline(0, color=INK, lw=0.8)
    below.set_title("observed less fitted", loc="left", fontsize=9, color=QUIET, pad=3)
    for each in (axes, below):
        _money_axis(each, made)
        each.set_xlim(-1, len(x))
    _days(axes, whole.starts, labels=False)
    _days(below, whole.starts)
    return figure


def _contributions(made: Examination, whole: Contributions) -> Figure:
    """Medians of the parts stacked: what adds above the baseline, what takes away below nothing."""
    channels = [part for part in whole.parts if part.is_channel]
    media = sum(part.share.p50 for part in channels)
    figure = _figure(5.4)
    _head(figure, made, f"What sales are made of: ads about {share(media)}")
    axes = figure.add_axes((0.11, 0.08, 0.62, 0.76))
    x = list(range(len(whole.starts)))
    up, down = [0.0] * len(x), [0.0] * len(x)
    for label, colour, values in _stack(whole.parts):
        above, under = [max(v, 0.0) for v in values], [min(v, 0.0) for v in values]
        tops = [a + b for a, b in zip(up, above, strict=True)]
        floors = [a + b for a, b in zip(down, under, strict=True)]
        axes.fill_between(x, up, tops, color=colour, lw=0, step="mid", label=label)
        axes.fill_between(x, down, floors, color=colour, lw=0, step="mid")
        up, down = tops, floors
    # What is not a number breaks the line, so that no week is drawn that was not observed.
    axes.plot(x, [nan if value is None else value for value in whole.observed], color=INK, lw=0.8, label="observed")
    axes.axhline(0, color=INK, lw=0.8)
    axes.set_xlim(-0.5, len(x) - 0.5)
    _money_axis(axes, made)
    _days(axes, whole.starts)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="upper left", bbox_to_anchor=(0.735, 0.86), frameon=False,
                  fontsize=8.5, labelspacing=0.45)  # fmt: skip
    return figure


def _stack(parts: Sequence[Part]) -> list[tuple[str, str, Series]]:
    """Label, colour and medians of what is stacked: the baseline, conditions, the largest channels, the other ones."""
    conditions = [part for part in parts if not part.is_channel]
    channels = sorted((part for part in parts if part.is_channel), key=lambda part: -abs(part.total.p50))
    colours = (_BASELINE, *_CONDITIONS)
    out = [(part.name, colour, part.by_period.p50) for part, colour in zip(conditions, colours, strict=False)]
    out += [
        (_wrapped(part.name), colour, part.by_period.p50) for part, colour in zip(channels, _CHANNELS, strict=False)
    ]
    if rest := channels[_MOST_CHANNELS:]:
        summed = tuple(float(sum(values)) for values in zip(*(part.by_period.p50 for part in rest), strict=True))
        out.append((f"{len(rest)} other channels", _OTHERS, summed))
    return out


def _curves(made: Examination) -> Figure:
    """One small picture a channel; beyond the most ever spent the curve is extrapolation, and shaded."""
    largest = sorted(made.curves, key=lambda curve: -curve.recent)[:_MOST_CURVES]
    shown = [curve for curve in made.curves if curve in largest]
    figure, panes = _panes(made, "Response: outcome a week by weekly budget", len(shown))
    for axes, curve in zip(panes, shown, strict=True):
        _curve(axes, curve, made)
    foot = "Line: spent lately. Shaded: more than was ever spent. Band holds 9 in 10."
    more = len(made.curves) - len(shown)
    _foot(figure, f"{foot} The {len(shown)} largest of {len(made.curves)} channels." if more else foot)
    return figure


def _curve(axes: Axes, curve: CurveChart, made: Examination) -> None:
    axes.fill_between(curve.budget, curve.outcome.p05, curve.outcome.p95, color=_ACCENT, alpha=0.25, lw=0)
    axes.plot(curve.budget, curve.outcome.p50, color=_ACCENT, lw=1.5)
    top = curve.budget[-1]
    axes.axvspan(min(curve.most, top), top, color=RULE, alpha=0.6, lw=0)
    axes.axvline(curve.recent, color=INK, lw=1)
    axes.axhline(0, color=RULE, lw=0.8)
    axes.set_xlim(0, top)
    axes.set_title(channel_name(curve.channel), loc="left", fontsize=10)
    _money_axis(axes, made, bins=4)
    axes.xaxis.set_major_formatter(lambda value, _: amount(value, made.currency, _step(top)))
    axes.locator_params(axis="x", nbins=3)
    axes.tick_params(labelsize=8)


def _prior_posterior(made: Examination) -> Figure:
    """One small picture a channel: what was believed, and what is believed now."""
    shown = made.densities[:_MOST_CURVES]
    figure, panes = _panes(made, "Return before (sand) and after (blue) the data", len(shown))
    for axes, density in zip(panes, shown, strict=True):
        _density(axes, density)
    more = len(made.densities) > len(shown)
    foot = "Where both are alike, the data say nothing of that channel."
    _foot(figure, f"{foot} The first {len(shown)} of {len(made.densities)} channels." if more else foot)
    return figure


def _density(axes: Axes, density: DensityChart) -> None:
    for values, colour, alpha in ((density.prior, _PRIOR, 0.55), (density.posterior, _ACCENT, 0.45)):
        axes.fill_between(density.roi, 0, values, color=colour, alpha=alpha, lw=0)
        axes.plot(density.roi, values, color=colour, lw=1.2)
    axes.axvline(0, color=INK, lw=0.8)
    axes.set_yticks([])
    axes.set_ylim(bottom=0)
    axes.set_xlim(density.roi[0], density.roi[-1])
    axes.set_title(channel_name(density.channel), loc="left", fontsize=10)
    axes.tick_params(length=0, labelsize=8)


def _correlations(made: Examination) -> Figure:
    """Every pair of channels; what is strongly negative cannot be told apart."""
    from matplotlib.colors import LinearSegmentedColormap

    channels, rows = made.correlations.channels, made.correlations.rows
    n = len(channels)
    close = sum(not pair.told_apart for pair in made.pairs)
    words = "every pair can be told apart" if not close else f"{close} of {len(made.pairs)} pairs cannot be told apart"
    side = min(6.0, max(2.2, 0.6 * n))
    height = side + 1.9
    figure = _figure(height)
    _head(figure, made, f"What channels caused: {words}")
    axes = figure.add_axes((0.24, 0.75 / height, side / figure.get_figwidth(), side / height))
    diverging = LinearSegmentedColormap.from_list("correlation", [_AGAINST, PAPER, _ACCENT])
    shown = [[0.0 if a == b else rows[a][b] for b in range(n)] for a in range(n)]
    axes.imshow(shown, cmap=diverging, vmin=-1, vmax=1)
    if n <= 12:
        for a in range(n):
            for b in range(n):
                if a != b:
                    colour = PAPER if abs(rows[a][b]) > 0.6 else INK
                    axes.text(b, a, f"{rows[a][b]:.2f}".replace("-", "−"), ha="center", va="center", color=colour)
    names = [_wrapped(channel) for channel in channels]
    # Numbered, so that long names stand once, beside their row.
    axes.set_yticks(range(n), [f"{name}  {i + 1}" for i, name in enumerate(names)])
    axes.set_xticks(range(n), [str(i + 1) for i in range(n)])
    for edge in range(n + 1):
        axes.axhline(edge - 0.5, color=RULE, lw=0.8)
        axes.axvline(edge - 0.5, color=RULE, lw=0.8)
    axes.tick_params(length=0)
    axes.spines["bottom"].set_visible(False)
    _foot(figure, "At −0.4 or below, what one channel gains in a draw the other loses: their sum is known better.")
    return figure


def _panes(made: Examination, title: str, n: int) -> tuple[Figure, list[Axes]]:
    """A figure with `n` axes, three across, or two where that leaves none empty."""
    across = 2 if n in {2, 4} else min(_ACROSS, n)
    down = -(-n // across)
    height = 1.5 + 2.0 * down
    figure = _figure(height)
    _head(figure, made, title)
    grid = figure.add_gridspec(
        down, across, left=0.08, right=0.97, top=1 - 1.15 / height, bottom=0.6 / height, hspace=0.5, wspace=0.28
    )
    return figure, [figure.add_subplot(grid[i // across, i % across]) for i in range(n)]


def _figure(height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(8.4, height), dpi=144, facecolor=PAPER)


def _head(figure: Figure, made: Examination, title: str) -> None:
    height = figure.get_figheight()
    figure.text(0.03, 1 - 0.36 / height, title, fontsize=13, fontweight="bold", va="center")
    figure.text(0.03, 1 - 0.66 / height, f"{made.tenant_name} · as of {made.as_of[:10]}", color=QUIET, va="center")
    if made.demo:
        badge = {"boxstyle": "round,pad=0.4", "facecolor": QUIET, "edgecolor": "none"}
        mark = figure.text(0.97, 1 - 0.36 / height, "DEMO", color=PAPER, va="center", ha="right", bbox=badge)
        mark.set(fontsize=9, fontweight="bold")


def _foot(figure: Figure, text: str) -> None:
    figure.text(0.03, 0.14 / figure.get_figheight(), text, fontsize=8.5, color=QUIET)


def _money_axis(axes: Axes, made: Examination, bins: int = 6) -> None:
    unit = made.currency if made.outcome_is_money else ""
    axes.locator_params(axis="y", nbins=bins)
    low, high = axes.get_ylim()
    axes.yaxis.set_major_formatter(lambda value, _: amount(value, unit, _step(max(abs(low), abs(high)))))
    axes.tick_params(length=0)
    axes.grid(axis="y", color=RULE, lw=0.6)
    axes.set_axisbelow(True)


def _days(axes: Axes, starts: Sequence[date], *, labels: bool = True) -> None:
    every = max(1, len(starts) // 6)
    ticks = list(range(0, len(starts), every))
    axes.set_xticks(ticks, [f"{starts[i]:%b %Y}" for i in ticks] if labels else [""] * len(ticks))
    axes.tick_params(length=0, pad=5)


def _wrapped(channel: str) -> str:
    """A channel's name in lines short enough for a margin."""
    return "\n".join(textwrap.wrap(channel_name(channel), _MARGIN_LETTERS))


def _error(observed: Sequence[float | None], fitted: Sequence[float]) -> float:
    """Sum of absolute misses over the sum of what was observed."""
    pairs = [(value, fit) for value, fit in zip(observed, fitted, strict=True) if value is not None]
    return sum(abs(value - fit) for value, fit in pairs) / max(sum(abs(value) for value, _ in pairs), 1e-12)


def _reach(values: Sequence[float]) -> tuple[float, float]:
    return min(values), max(values)


def _step(reach: float) -> float:
    return max(step_of(reach), 1e-2)
