"""How an error becomes an answer: one table of status codes, one body."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from weathervane.contracts.errors import (
    BadInput,
    ModelFailed,
    NotEnoughData,
    NotFound,
    PlanImpossible,
    StateUnusable,
    Stopped,
    WeatherVaneError,
)

STATUS: dict[type[WeatherVaneError], int] = {
    BadInput: 422,
    NotFound: 404,
    NotEnoughData: 409,
    ModelFailed: 409,
    PlanImpossible: 409,
    StateUnusable: 503,
    Stopped: 503,
}


@dataclass(frozen=True)
class Problem:
    """The body of every failure: the error's name, what is wrong, and what to do next."""

    error: str
    problem: str
    remedy: str


def add_error_handlers(app: FastAPI) -> None:
    """Every failure of `app` leaves as a `Problem`."""
    app.add_exception_handler(WeatherVaneError, _known)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unknown)


def _answer(status: int, error: str, problem: str, remedy: str) -> JSONResponse:
    return JSONResponse(asdict(Problem(error, problem, remedy)), status_code=status)


def _known(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, WeatherVaneError)
    return _answer(STATUS.get(type(error), 500), type(error).__name__, error.problem, error.remedy)


def _bad_request(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    wrong = "; ".join(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors())
    return _answer(422, "BadInput", f"The request cannot be read: {wrong}.", "send it as openapi.json describes.")


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return _answer(
            404, "NotFound", f"There is nothing at {request.url.path}.", "see openapi.json for what there is."
        )
    if error.status_code == 405:
        remedy = "see openapi.json for what may be asked."
        return _answer(405, "BadInput", f"{request.url.path} does not take {request.method}.", remedy)
    return _answer(error.status_code, "BadInput", f"{error.detail}.", "see openapi.json for what may be asked.")


def _unknown(_request: Request, _error: Exception) -> JSONResponse:
    # The traceback goes to the server's log (Starlette re-raises after this answer), never to the browser.
    return _answer(500, "Unexpected", "The server failed in a way it did not foresee.", "look at the server's log.")
