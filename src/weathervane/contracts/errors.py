"""What can go wrong, in words that say what to do next.

WeatherVaneError
├── BadInput            the user's file, mapping or option cannot be read as given     exit 2
├── NotEnoughData       the data is fine, there is too little of it                    exit 3
├── NotFound            nothing of that name is stored yet                             exit 4
├── ModelFailed         a fit did not converge, or could not run; no result is shown   exit 5
├── PlanImpossible      the limits of a plan contradict each other                     exit 6
├── StateUnusable       the state folder or the database cannot be read or written     exit 7
└── Stopped             somebody stopped it before it was done; nothing half is left   exit 130
"""

from __future__ import annotations


class WeatherVaneError(Exception):
    """Any failure a user can act on. `problem` says what is wrong, `remedy` what to do next."""

    exit_code = 1

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem} Next: {remedy}")
        self.problem = problem
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[WeatherVaneError], tuple[str, str]]:
        """Survives the trip between processes."""
        return (type(self), (self.problem, self.remedy))


class BadInput(WeatherVaneError):
    """A file, a mapping or an option cannot be read as given."""

    exit_code = 2


class NotEnoughData(WeatherVaneError):
    """The data is sound and there is too little of it for what was asked."""

    exit_code = 3


class NotFound(WeatherVaneError):
    """Nothing of that name is stored yet."""

    exit_code = 4


class ModelFailed(WeatherVaneError):
    """A fit did not converge or could not run, so there is no result to show."""

    exit_code = 5


class PlanImpossible(WeatherVaneError):
    """The limits of a plan contradict each other."""

    exit_code = 6


class StateUnusable(WeatherVaneError):
    """The state folder or the database cannot be read or written."""

    exit_code = 7


class Stopped(WeatherVaneError):
    """Somebody, or the system, stopped it before it was done: what was in use stays in use."""

    exit_code = 130
