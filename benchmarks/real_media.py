"""Real and published media data: does the model converge or explain, and does it predict weeks it has not seen?

    python -m benchmarks.real_media [--ends N] [--only NAME]

The last 13 weeks are hidden, their spend is known; then the 13 before, as if the data had ended there, N times over.
WAPE of the posterior mean beside seasonal naive (a year before), the mean of the 13 weeks before, and a ridge
regression on the same columns. The two real sets are American and get the product's own calendar, as a tenant would.
Data are read from ../shared/data/mmm.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.figure import Figure, print_figures
from weathervane.connectors.calendar.holidays import calendar
from weathervane.contracts.errors import WeatherVaneError
from weathervane.contracts.period import Period
from weathervane.contracts.tenant import Place
from weathervane.model.features.build import Panel
from weathervane.model.mmm.decomposition import joint_draws, predict
from weathervane.model.mmm.hierarchical import fit_media_mix
from weathervane.model.mmm.placebo import media_signal
from weathervane.model.mmm.priors import ChannelPriors, Priors, organic

Floats = NDArray[np.float64]
FOLDER = Path(__file__).parents[2] / "shared" / "data" / "mmm"
HIDDEN = 13


@dataclass(frozen=True)
class Source:
    """Which columns of a file mean what; `free` channels cost nothing in the file, so their share is asked."""

    name: str
    file: str
    date: str
    outcome: str
    channels: tuple[str, ...]
    promotion: str | None = None
    price: str | None = None
    geo: str | None = None
    unit_value: str | None = None
    free: bool = False
    country: str | None = None
    without: tuple[str, ...] = ()  # the outcome as it would have been without each channel, where the file knows it


SOURCES = (
    Source(
        "retailer",
        "retailer_weekly_2014_2018.csv",
        "wk_strt_dt",
        "sales",
        tuple(
            f"mdsp_{name}" for name in ("dm", "inst", "nsp", "auddig", "audtr", "vidtr", "viddig", "so", "on", "sem")
        ),
        promotion="mrkdn_pdm",
        country="US",
    ),
    Source(
        "brand C",
        "brand_c_us_weekly_2000_2003.csv",
        "week_date",
        "eq_volum",
        ("tvgrp_c", "fsi_holi", "fsi_non"),
        promotion="disacv_c",
        price="price_c",
        free=True,
        country="US",
    ),
    Source(
        "Robyn simulated",
        "robyn_simulated_weekly.csv",
        "DATE",
        "revenue",
        ("tv_S", "ooh_S", "print_S", "facebook_S", "search_S"),
    ),
    Source(
        "PyMC with known effects",
        "pymc_mmm_roas_data.csv",
        "date",
        "y",
        ("x1", "x2"),
        free=True,
        without=("y01", "y02"),
    ),
    Source(
        "Meridian national",
        "meridian_national_all_channels.parquet",
        "time",
        "conversions",
        tuple(f"Channel{i}_spend" for i in range(5)),
        promotion="Promo",
        unit_value="revenue_per_conversion",
    ),
    Source(
        "Meridian 40 places",
        "meridian_geo_all_channels.parquet",
        "time",
        "conversions",
        tuple(f"Channel{i}_spend" for i in range(5)),
        promotion="Promo",
        geo="geo",
        unit_value="revenue_per_conversion",
    ),
)


def panel_of(source: Source) -> Panel:
    path = FOLDER / source.file
    frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema_length=None)
    when = pl.col(source.date)
    if frame.schema[source.date] == pl.String:
        formats = ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y", "%d-%b-%y")
        when = pl.coalesce(when.str.to_date(form, strict=False) for form in formats)
    frame = frame.with_columns(_date=when.cast(pl.Date), _geo=pl.col(source.geo) if source.geo else pl.lit("national"))
    frame = frame.sort("_geo", "_date")
    geos = tuple(frame["_geo"].unique(maintain_order=True).to_list())
    days = frame.filter(pl.col("_geo") == geos[0])["_date"].to_list()
    g, t = len(geos), len(days)

    def column(name: str) -> Floats:
        return frame[name].cast(pl.Float64).fill_null(0.0).to_numpy().reshape(g, t)

    outcome = column(source.outcome) * (column(source.unit_value) if source.unit_value else 1.0)
    promotion = column(source.promotion) if source.promotion else np.zeros((g, t))
    price = np.log(column(source.price)) if source.price else np.zeros((g, t))
    zeros = np.zeros((g, t))
    first: date = days[0]
    events, event_days = holidays(source, days)
    return Panel(
        step_days=7,
        geos=geos,
        categories=("total",),
        channels=source.channels,
        events=events,
        starts=tuple(first + timedelta(days=7 * i) for i in range(t)),
        n_past=t,
        outcome=outcome[None],
        spend=np.stack([column(channel) for channel in source.channels]),
        in_stock=np.ones((1, g, t)),
        promotion=(promotion / max(float(np.abs(promotion).max()), 1e-9))[None],
        log_price=(price - price.mean(axis=1, keepdims=True))[None],
        weather=np.zeros((3, g, t)),
        z=zeros,
        temp_anomaly_c=zeros,
        wet_days=zeros,
        event_days=np.broadcast_to(event_days[:, None], (len(events), g, t)),
        weather_source="none",
        notes=(),
    )


def holidays(source: Source, weeks: list[date]) -> tuple[tuple[str, ...], Floats]:
    """Names of the country's holidays and retail events, and how many days of each fall into each week [e, t]."""
    if source.country is None:
        return (), np.zeros((0, len(weeks)))
    whole = Period(weeks[0], weeks[-1] + timedelta(days=6))
    kept = calendar([Place("national", "national", country=source.country)], whole)
    names = tuple(sorted(kept["event"].unique().to_list()))
    days = np.zeros((len(names), len(weeks)))
    for name, day in kept.select("event", "date").iter_rows():
        days[names.index(name), (day - weeks[0]).days // 7] += 1
    return names, days


def ending(panel: Panel, n: int) -> Panel:
    """The panel as it would be had it ended after `n` periods."""
    along_time = ("outcome", "spend", "in_stock", "promotion", "log_price", "weather", "z", "temp_anomaly_c",
                  "wet_days", "event_days")  # fmt: skip
    cut = {name: getattr(panel, name)[..., :n] for name in along_time}
    return replace(panel, starts=panel.starts[:n], n_past=n, **cut)


def beliefs(source: Source) -> Priors:
    """The built-in ones; of channels that cost nothing in the file, those of organic ones."""
    return Priors(default=organic(ChannelPriors(), "spend")) if source.free else Priors()


def known_effects(source: Source, whole: Panel) -> Iterator[Figure]:
    """Each channel's true share of the outcome in the 90 % interval of a fit to all weeks."""
    frame = pl.read_csv(FOLDER / source.file)
    intervals = np.quantile(fit_media_mix(whole, beliefs(source), seed=1).contribution_share, [0.05, 0.5, 0.95], axis=0)
    for channel, column, (low, median, high) in zip(source.channels, source.without, intervals.T, strict=True):
        true = float(1 - frame[column].sum() / frame[source.outcome].sum())
        note = f"{median:.3f} ({low:.3f} to {high:.3f}), truth {true:.3f}"
        name = f"{source.name}: relative error of the share of {channel}"
        yield Figure(
            name, float(abs(median / true - 1)), "share", "truth in the 90 % interval", bool(low <= true <= high), note
        )


def of_source(source: Source, n_ends: int) -> list[Figure]:
    whole = panel_of(source)
    ends = [len(whole.starts) - HIDDEN * back for back in range(n_ends)]
    found = [of_end(source, ending(whole, n)) for n in ends]
    known = list(known_effects(source, whole)) if source.without else []
    if n_ends == 1 or any(len(each) != len(found[0]) for each in found):
        return known + [figure for figures in found for figure in figures]
    errors = np.array([[figure.value for figure in figures] for figures in found])
    ours, floors = errors[:, 0].mean(), errors[:, 1:].mean(axis=0)
    best = float(floors.min())
    note = f"{n_ends} ends, by end {[round(float(value), 3) for value in errors[:, 0]]}"
    name = f"{source.name}: WAPE of 13 unseen weeks, mean of {n_ends} ends"
    return [
        *known,
        *(figure for figures in found for figure in figures),
        Figure(f"{name}, media mix model", float(ours), "share", f"<= {best:.3f}", bool(ours <= best), note),
        *(
            Figure(f"{name}, {floor}", float(value), "share")
            for floor, value in zip(("seasonal naive", "recent mean", "ridge"), floors, strict=True)
        ),
    ]


def of_end(source: Source, whole: Panel) -> list[Figure]:
    outcome = whole.outcome.copy()
    outcome[:, :, -HIDDEN:] = np.nan
    hidden = replace(whole, outcome=outcome)
    try:
        fit = fit_media_mix(hidden, beliefs(source), seed=1)
    except WeatherVaneError as error:
        return [Figure(f"{source.name}: fit to {whole.through}", 0.0, "", note=str(error))]
    signal = media_signal(fit.design, fit.data, fit.form)
    predicted = np.mean(list(predict(fit, joint_draws(fit, seed=1))), axis=0)
    actual = whole.outcome[0, :, -HIDDEN:].sum(axis=0)
    totals = whole.outcome[0].sum(axis=0)
    found = {
        "media mix model": predicted[:, -HIDDEN:].sum(axis=0),
        "seasonal naive": totals[-HIDDEN - 52 : -52],
        "recent mean": np.full(HIDDEN, totals[-2 * HIDDEN : -HIDDEN].mean()),
        "ridge": ridge(whole, totals),
    }
    k = fit.convergence
    honest = f"R-hat {k.rhat_max:.3f}, ESS {min(k.ess_min, k.ess_tail_min):.0f}, {k.method}; {signal.sentence}"
    return [
        Figure(
            f"{source.name}: WAPE of {HIDDEN} weeks to {whole.through}, {name}",
            wape(actual, values),
            "share",
            note=note,
        )
        for (name, values), note in zip(found.items(), (honest, "", "", ""), strict=True)
    ]


def wape(actual: Floats, predicted: Floats) -> float:
    return float(np.abs(actual - predicted).sum() / np.abs(actual).sum())


def ridge(panel: Panel, totals: Floats) -> Floats:
    """Trend, harmonics, promotion, price and carried-over square roots of spend; penalty by the last fifth."""
    t = len(totals)
    spend = np.nan_to_num(panel.spend.sum(axis=1))
    carried = np.sqrt(spend / np.maximum(spend.mean(axis=1, keepdims=True), 1e-9))
    for week in range(1, t):
        carried[:, week] = 0.5 * carried[:, week - 1] + 0.5 * carried[:, week]
    angle = 2 * np.pi * np.array([start.timetuple().tm_yday for start in panel.starts]) / 365.25
    waves = [wave(order * angle) for order in (1, 2, 3) for wave in (np.cos, np.sin)]
    controls = [panel.promotion[0].mean(axis=0), panel.log_price[0].mean(axis=0)]
    x = np.stack([np.arange(t) / t, *waves, *controls, *carried], axis=1)
    x = (x - x[:-HIDDEN].mean(axis=0)) / np.maximum(x[:-HIDDEN].std(axis=0), 1e-9)
    past = t - HIDDEN
    cut = int(0.8 * past)

    def fitted(n: int, penalty: float) -> Floats:
        mean = totals[:n].mean()
        weights = np.linalg.solve(x[:n].T @ x[:n] + penalty * np.eye(x.shape[1]), x[:n].T @ (totals[:n] - mean))
        return np.asarray(mean + x @ weights)

    penalties = np.logspace(-1, 4, 11)
    best = min(penalties, key=lambda penalty: wape(totals[cut:past], fitted(cut, penalty)[cut:past]))
    return fitted(past, best)[past:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ends", type=int, default=4, help="how often 13 weeks are hidden")
    parser.add_argument("--only", choices=[source.name for source in SOURCES])
    chosen = parser.parse_args()
    if not FOLDER.exists():
        print_figures([Figure("real media data", 0.0, "", note="the shared data are not here")])
        return
    wanted = [source for source in SOURCES if chosen.only in (None, source.name)]
    print_figures(figure for source in wanted for figure in of_source(source, chosen.ends))


if __name__ == "__main__":
    main()
