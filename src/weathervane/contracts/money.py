"""Money: whole minor units and a currency, so that sums are exact and currencies never mix."""

from __future__ import annotations

import math
from dataclasses import dataclass

from weathervane.contracts.errors import BadInput

# ISO 4217 minor digits where they are not two.
_MINOR_DIGITS = {"JPY": 0, "KRW": 0, "CLP": 0, "VND": 0, "ISK": 0, "KWD": 3, "BHD": 3, "JOD": 3, "OMR": 3, "TND": 3}


@dataclass(frozen=True, order=False)
class Money:
    """An amount in whole minor units (cents) of one ISO 4217 currency."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if isinstance(self.minor, bool) or not isinstance(self.minor, int):  # pyright: ignore[reportUnnecessaryIsInstance]  callers outside the type checker
            raise BadInput(f"Money needs whole minor units, not {self.minor!r}.", "use Money.from_major for fractions.")
        if len(self.currency) != 3 or not self.currency.isascii() or not self.currency.isupper():
            raise BadInput(
                f"{self.currency!r} is not an ISO 4217 currency code.", "write it as three capitals, like USD."
            )

    @staticmethod
    def from_major(amount: float, currency: str) -> Money:
        """The amount rounded to whole minor units (half to even); BadInput for one that is no finite number."""
        if not math.isfinite(amount):
            raise BadInput(f"An amount of {amount} is not an amount of money.", "give a number, like 1000.")
        return Money(round(amount * 10 ** minor_digits(currency)), currency)

    @property
    def major(self) -> float:
        """The amount in major units (dollars)."""
        return self.minor / 10 ** minor_digits(self.currency)

    def __add__(self, other: Money) -> Money:
        """The sum; refuses another currency."""
        self._same_currency(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        """The difference; refuses another currency."""
        self._same_currency(other)
        return Money(self.minor - other.minor, self.currency)

    def _same_currency(self, other: Money) -> None:
        if other.currency != self.currency:
            raise BadInput(f"{self.currency} and {other.currency} cannot be added.", "convert to one currency first.")


def minor_digits(currency: str) -> int:
    """Decimal digits of the currency's minor unit."""
    return _MINOR_DIGITS.get(currency, 2)
