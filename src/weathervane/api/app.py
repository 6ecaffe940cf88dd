"""The service: stored results as JSON under /v1, and the web app beside them."""

from __future__ import annotations

import json
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware

from weathervane.api.errors import add_error_handlers
from weathervane.api.headers import SecurityHeaders
from weathervane.api.routes import health
from weathervane.api.routes.automation import automation_router
from weathervane.api.routes.calibration import calibration_router
from weathervane.api.routes.plans import plans_router
from weathervane.api.routes.scenarios import scenarios_router
from weathervane.api.web import add_web

# Other names are refused, so that a foreign page cannot reach us by pointing its own name at this machine.
LOOPBACK = ("127.0.0.1", "localhost")


def create_app(state: Path, database_url: str | None, web: Path | None) -> FastAPI:
    """The app over one state folder; `web` is the built web app's folder, or None. Touches no file until asked."""
    app = FastAPI(
        title="WeatherVane",
        summary="Where next week's marketing money should go, given the weather that is coming.",
        version="2.0",  # of the interface, not of the package: an incompatible change must raise the first number
        openapi_url="/v1/openapi.json",
        docs_url=None,  # both load scripts from elsewhere
        redoc_url=None,
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(LOOPBACK))
    app.add_middleware(SecurityHeaders)
    add_error_handlers(app)
    app.include_router(health.router)
    for router in (plans_router, scenarios_router, automation_router, calibration_router):
        app.include_router(router(state, database_url))
    add_web(app, web)
    return app


def openapi_text() -> str:
    """The interface as JSON text, the same bytes for the same code."""
    schema = create_app(Path("state"), None, None).openapi()
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
