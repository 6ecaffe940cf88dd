"""Markets: the places of a world and how many people live there."""

from __future__ import annotations

from dataclasses import dataclass

from weathervane.connectors.weather.climate import cities
from weathervane.contracts.errors import BadInput
from weathervane.contracts.tenant import Place

# Metropolitan areas, millions of people, rounded; a place not listed has the median.
_PEOPLE_MILLIONS = {
    "new-york-ny": 19.6,
    "los-angeles-ca": 12.9,
    "chicago-il": 9.3,
    "dallas-tx": 7.9,
    "houston-tx": 7.3,
    "washington-dc": 6.3,
    "philadelphia-pa": 6.2,
    "atlanta-ga": 6.2,
    "miami-fl": 6.1,
    "phoenix-az": 5.0,
    "boston-ma": 4.9,
    "san-francisco-ca": 4.6,
    "detroit-mi": 4.3,
    "seattle-wa": 4.0,
    "minneapolis-mn": 3.7,
    "tampa-fl": 3.3,
    "denver-co": 3.0,
    "st-louis-mo": 2.8,
    "charlotte-nc": 2.8,
    "orlando-fl": 2.8,
    "portland-or": 2.5,
    "las-vegas-nv": 2.3,
    "kansas-city-mo": 2.2,
    "salt-lake-city-ut": 1.3,
    "new-orleans-la": 1.0,
}
_MEDIAN_MILLIONS = 4.0


@dataclass(frozen=True)
class Market:
    """A place and its people."""

    place: Place
    people: float


def first_cities(n: int) -> tuple[Market, ...]:
    """The first n cities of the climate table, largest markets first; BadInput when there are not so many."""
    known = cities()
    if not 1 <= n <= len(known):
        raise BadInput(f"A generated world cannot have {n} geos.", f"ask for 1 to {len(known)}.")
    return tuple(market(city.geo) for city in known[:n])


def market(geo: str) -> Market:
    """The market of that name; one not in the climate table is named after its id and has no position."""
    people = 1e6 * _PEOPLE_MILLIONS.get(geo, _MEDIAN_MILLIONS)
    for city in cities():
        if city.geo == geo:
            place = Place(geo, city.name, city.latitude, city.longitude, city.time_zone, "US", city.state)
            return Market(place, people)
    return Market(Place(geo, geo.replace("-", " ").replace("_", " ").title()), people)
