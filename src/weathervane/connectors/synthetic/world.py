"""Worlds: a brand with known truth, as the tables a source would deliver (docs/modeling/synthetic-worlds.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from weathervane.connectors.calendar.holidays import calendar
from weathervane.connectors.synthetic import demand, media
from weathervane.connectors.synthetic.frames import forecasts, given_weather, known, long, observations, with_gaps
from weathervane.connectors.synthetic.markets import Market, first_cities, market
from weathervane.connectors.synthetic.media import SpendCut
from weathervane.connectors.synthetic.national import national_tables, national_truth
from weathervane.connectors.synthetic.specs import WorldSpec, world_spec
from weathervane.connectors.synthetic.streams import Floats
from weathervane.connectors.synthetic.truth import SteadyResponse, Truth, channel_truths, weather_effects
from weathervane.connectors.synthetic.weather import LEADS, Days, Weather, observed_weather, simulated_weather
from weathervane.contracts.errors import BadInput
from weathervane.contracts.grain import NATIONAL
from weathervane.contracts.period import Period
from weathervane.contracts.tenant import Place, Tenant

# Adstock and weather lags have a past before the first day of the history, and promotions a future after the last.
_BEFORE_DAYS = 91
_PLANNED_DAYS = 28
_CALENDAR_DAYS = 90
_SHORTEST_DAYS = 28


@dataclass(frozen=True)
class World:
    """A tenant (`demo` is true), its tables in the contracts of contracts/tables.py with `known_at`, and the truth."""

    tenant: Tenant
    tables: dict[str, pl.DataFrame]
    truth: Truth


def make_world(
    name: str,
    *,
    seed: int,
    end: date,
    n_days: int | None = None,
    weather: pl.DataFrame | None = None,
    tenant_id: str = "demo",
    n_geos: int | None = None,
    cuts: Sequence[SpendCut] = (),
) -> World:
    """The named world over the `n_days` days that end with `end`; None takes the world's own length and number of geos.

    `weather`, in the WEATHER contract, replaces the generated weather: its geos become the world's, its observations
    are used as they are, and forecasts are generated when it has none. `cuts` are geo tests that really run: everything
    before them stays as it is without them. BadInput for an unknown name, too few days, or
    weather that does not cover them.
    """
    return build_world(
        world_spec(name), seed=seed, end=end, n_days=n_days, weather=weather, tenant_id=tenant_id, n_geos=n_geos,
        cuts=cuts,
    )  # fmt: skip


def build_world(
    spec: WorldSpec,
    *,
    seed: int,
    end: date,
    n_days: int | None = None,
    weather: pl.DataFrame | None = None,
    tenant_id: str = "demo",
    n_geos: int | None = None,
    cuts: Sequence[SpendCut] = (),
) -> World:
    """The world of any spec; see `make_world`. A national world ends with the last whole week at or before `end`."""
    if seed < 0:
        raise BadInput(f"A seed of {seed} is negative.", "use 0 or a positive whole number.")
    n_days = spec.n_days if n_days is None else n_days
    if spec.national_weeks:
        end = end - timedelta(days=(end.weekday() + 1) % 7)
        n_days -= n_days % 7
    if n_days < _SHORTEST_DAYS:
        raise BadInput(f"A generated world of {n_days} days is too short.", f"ask for {_SHORTEST_DAYS} days or more.")
    first = np.datetime64(end, "D") - n_days + 1
    days: Days = np.arange(first - _BEFORE_DAYS, np.datetime64(end, "D") + LEADS + 1)
    history = slice(_BEFORE_DAYS, _BEFORE_DAYS + n_days)
    if weather is None:
        markets = first_cities(spec.n_geos if n_geos is None else n_geos)
        seen = simulated_weather(seed, tuple(m.place.geo for m in markets), days)
    else:
        seen = observed_weather(seed, weather, days, history)
        markets = tuple(market(geo) for geo in seen.geos)
    tables, truth = _by_market(spec, seed, markets, seen, history, cuts)
    if weather is not None:
        tables["weather"] = given_weather(weather, seen, history)
    places = tuple(m.place for m in markets)
    if spec.national_weeks:
        places = (Place(NATIONAL, "United States"),)
        tables = national_tables(tables, {m.place.geo: m.people for m in markets})
        tables["calendar"] = _calendar(places, days[history])
        truth = national_truth(truth)
    if spec.gaps:
        tables = with_gaps(seed, tables)
    title = f"Demo brand ({spec.name} world)"
    return World(Tenant(tenant_id, title, "USD", demo=True, places=places), tables, truth)


def _by_market(
    spec: WorldSpec, seed: int, markets: Sequence[Market], weather: Weather, history: slice, cuts: Sequence[SpendCut]
) -> tuple[dict[str, pl.DataFrame], Truth]:
    """Tables and truth of the markets, by day."""
    days, past, geos = weather.days, weather.days[history], [m.place.geo for m in markets]
    categories = [c.name for c in spec.categories]
    shares = np.array([c.share for c in spec.categories])
    events = _calendar([m.place for m in markets], days)
    on_offer = demand.offers(seed, spec.categories, history.stop + _PLANNED_DAYS)

    base = demand.baseline(seed, spec, markets, days, events, on_offer)
    by_weather = base * np.expm1(demand.weather_log_effect(spec.categories, weather))
    usual = media.spend(seed, spec, markets, weather)
    people = np.array([m.people for m in markets])
    usually = media.responses(seed, spec.channels, markets, usual, weather, history)
    in_stock = demand.stock(seed, spec, geos, len(days))
    noise = demand.demand_noise(seed, spec.categories, geos, len(days))
    cuts = sorted(cuts, key=lambda cut: cut.start)

    def flows(made: Sequence[SpendCut]) -> tuple[Floats, tuple[media.ChannelResponse, ...], Floats]:
        """Spend, responses and expected revenue with these cuts in place."""
        paid = media.with_cuts(usual, made, spec.channels, geos, days)
        found = tuple(one.with_spend(people, paid[:, :, c], weather.z) for c, one in enumerate(usually))
        caused = np.stack([response.contribution for response in found], axis=2)
        by_media = caused.sum(axis=2, keepdims=True) * shares / shares.sum()
        return paid, found, base + by_weather + by_media

    paid, responses, expected = flows(cuts)
    caused = np.stack([response.contribution for response in responses], axis=2)
    by_media = caused.sum(axis=2, keepdims=True) * shares / shares.sum()

    def drawn(made: Sequence[SpendCut]) -> dict[str, pl.DataFrame]:
        paid, _, rate = flows(made)
        return {
            "sales": known(demand.sales(seed, spec.categories, geos, past, (rate * noise * in_stock)[history]), 1),
            "spend": known(media.delivery(seed, spec.channels, geos, past, paid[history]), 1),
        }

    planned = slice(history.start, history.stop + _PLANNED_DAYS)
    planned_days = past[0] + np.arange(planned.stop - planned.start)
    depth = np.repeat(on_offer.depth[planned, None, :], len(geos), axis=1)
    price = np.repeat(on_offer.price[history, None, :], len(geos), axis=1)
    tables = {
        **_one_after_the_other([drawn(cuts[:i]) for i in range(len(cuts) + 1)], [cut.start for cut in cuts]),
        "weather": pl.concat([observations(weather, history), forecasts(weather, history)]),
        "calendar": events.filter(pl.col("date") >= past[0].astype(object)),
        "promotions": known(long("category", planned_days, geos, categories, {"depth_share": depth}), -_PLANNED_DAYS),
        "prices": known(long("category", past, geos, categories, {"price_index": price}), 0),
        "inventory": known(long("category", past, geos, categories, {"in_stock_share": in_stock[history]}), 1),
    }
    parts = {"baseline": base, "weather": by_weather, "media": by_media, "expected": expected}
    by_channel = {"spend": paid[history], "contribution": caused[history]}
    truth = Truth(
        world=spec.name,
        seed=seed,
        channels=channel_truths(responses, paid[history], history, float(expected[history].sum())),
        weather_effects=weather_effects(spec.categories),
        outcome=long("category", past, geos, categories, {name: part[history] for name, part in parts.items()}),
        contributions=long("channel", past, geos, [c.name for c in spec.channels], by_channel),
        steady=SteadyResponse(tuple(geos), people, paid[history][-28:].sum(axis=0) / 4.0, responses),
        withheld=_withheld(geos, past, spec, usually, responses, history) if cuts else None,
    )
    return tables, truth


def _one_after_the_other(drawn: Sequence[dict[str, pl.DataFrame]], starts: Sequence[date]) -> dict[str, pl.DataFrame]:
    """Each table as drawn without the first cut up to its start, from there with it, and so on.

    A draw of one day moves the draws of others, so a history drawn with the cut would not be the one that it was
    planned on.
    """
    edges = [date.min, *starts, date.max]
    return {
        name: pl.concat(
            [
                frames[name].filter((pl.col("date") >= first) & (pl.col("date") < last))
                for frames, first, last in zip(drawn, edges, edges[1:], strict=False)
            ]
        ).sort("geo", "date", "category" if name == "sales" else "channel", maintain_order=True)
        if starts
        else drawn[0][name]
        for name in drawn[0]
    }


def _withheld(
    geos: Sequence[str],
    past: Days,
    spec: WorldSpec,
    usually: Sequence[media.ChannelResponse],
    responses: Sequence[media.ChannelResponse],
    history: slice,
) -> pl.DataFrame:
    lost = np.stack([a.contribution - b.contribution for a, b in zip(usually, responses, strict=True)], axis=2)
    return long("channel", past, geos, [c.name for c in spec.channels], {"withheld": lost[history]})


def _calendar(places: Sequence[Place], days: Days) -> pl.DataFrame:
    """The calendar from the first of these days to some months after the last, so that plans know what is coming."""
    first, last = days[0].astype(object), days[-1].astype(object)
    return calendar(places, Period(first, last + timedelta(days=_CALENDAR_DAYS)))
