"""The calendar: known dates, every place its own, known long before."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from weathervane.connectors.calendar.holidays import calendar
from weathervane.contracts.errors import BadInput
from weathervane.contracts.period import Period
from weathervane.contracts.tables import CALENDAR
from weathervane.contracts.tenant import Place
from weathervane.store.tables import check

YEAR_2024 = Period(date(2024, 1, 1), date(2024, 12, 31))
NEW_YORK = Place("new-york-ny", "New York", country="US", subdivision="NY")
TEXAS = Place("dallas-tx", "Dallas", country="US", subdivision="TX")
BAVARIA = Place("munich", "Munich", country="DE", subdivision="BY")
LONDON = Place("london", "London", country="GB", subdivision="ENG")


def events(frame: pl.DataFrame, geo: str) -> dict[str, date]:
    return {event: day for day, event in frame.filter(geo=geo).select("date", "event").iter_rows()}


def test_well_known_days_fall_where_they_fell():
    found = events(calendar([NEW_YORK], YEAR_2024), "new-york-ny")
    assert found["Thanksgiving Day"] == date(2024, 11, 28)
    assert found["Black Friday"] == date(2024, 11, 29)
    assert found["Cyber Monday"] == date(2024, 12, 2)
    assert found["Super Saturday"] == date(2024, 12, 21)
    assert found["Mother's Day"] == date(2024, 5, 12)
    assert found["Father's Day"] == date(2024, 6, 16)
    assert found["Back to School"] == date(2024, 8, 10)


@pytest.mark.parametrize(
    ("year", "friday", "super_saturday"),
    [
        (2019, date(2019, 11, 29), date(2019, 12, 21)),
        (2021, date(2021, 11, 26), date(2021, 12, 18)),  # Christmas was a Saturday: the Saturday before it
        (2022, date(2022, 11, 25), date(2022, 12, 24)),
        (2023, date(2023, 11, 24), date(2023, 12, 23)),
    ],
)
def test_moving_days(year, friday, super_saturday):
    found = events(calendar([TEXAS], Period(date(year, 1, 1), date(year, 12, 31))), "dallas-tx")
    assert found["Black Friday"] == friday
    assert found["Super Saturday"] == super_saturday
    assert found["Cyber Monday"] == friday + timedelta(days=3)


def test_a_place_keeps_the_days_of_its_country_and_subdivision():
    frame = calendar([NEW_YORK, TEXAS, BAVARIA, LONDON], YEAR_2024)
    assert "Lincoln's Birthday" in events(frame, "new-york-ny")
    assert "Lincoln's Birthday" not in events(frame, "dallas-tx")
    assert events(frame, "munich")["Corpus Christi"] == date(2024, 5, 30)
    assert events(frame, "london")["Boxing Day Sales"] == date(2024, 12, 26)
    assert "Boxing Day Sales" not in events(frame, "munich")
    assert "Mother's Day" not in events(frame, "london")  # the British one is in March


def test_rows_keep_the_contract_the_period_and_a_year_of_notice():
    period = Period(date(2023, 12, 20), date(2024, 1, 5))
    frame = calendar([TEXAS, NEW_YORK], period)
    checked = check(CALENDAR, frame, "calendar")
    assert checked.height == frame.height
    assert frame["date"].is_between(period.start, period.end).all()
    assert frame.select("geo", "date", "event").is_unique().all()
    assert frame.equals(frame.sort("geo", "date", "event"))
    christmas = frame.filter(pl.col("event") == "Christmas Day")
    assert set(christmas["known_at"]) == {datetime(2022, 12, 25, tzinfo=UTC)}


def test_two_holidays_on_one_day_are_two_rows():
    frame = calendar([NEW_YORK], YEAR_2024).filter(date=date(2024, 11, 11))
    assert set(frame["event"]) == {"Veterans Day", "Singles' Day"}
    assert set(frame["kind"]) == {"public_holiday", "retail_event"}
    texas = calendar([TEXAS], YEAR_2024).filter(date=date(2024, 6, 19))
    assert set(texas["event"]) == {"Emancipation Day In Texas", "Juneteenth National Independence Day"}


def test_no_places_give_an_empty_frame_with_the_columns():
    frame = calendar([], YEAR_2024)
    assert frame.is_empty()
    assert frame.columns == ["geo", "date", "event", "kind", "known_at"]


@pytest.mark.parametrize(("country", "subdivision"), [("ZZ", None), ("US", "QQ")])
def test_an_unknown_place_is_named(country, subdivision):
    with pytest.raises(BadInput, match="place nowhere"):
        calendar([Place("nowhere", "Nowhere", country=country, subdivision=subdivision)], YEAR_2024)
