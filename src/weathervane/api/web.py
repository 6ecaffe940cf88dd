"""The built web app, from the same origin as the API."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_NOT_BUILT = "The page is not built yet. Next: run `make serve`. The API answers under /v1.\n"


class WebApp(StaticFiles):
    """Files of one build; a path that names no file is a page of the app, so it gets index.html."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, html=True)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file or the app. Hashed assets may be kept for ever, everything else is asked for again."""
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or not _is_page(scope["path"]):
                raise
            path, response = "index.html", await super().get_response("index.html", scope)
        kept = "public, max-age=31536000, immutable" if PurePosixPath(path).parts[:1] == ("assets",) else "no-cache"
        response.headers["Cache-Control"] = kept
        return response


def add_web(app: FastAPI, folder: Path | None) -> None:
    """Serves the build in `folder` at /, or one sentence saying how to build it. Call after the API's routes."""
    if folder is not None and (folder / "index.html").is_file():
        app.mount("/", WebApp(folder), name="web")
    else:
        app.add_api_route("/", _not_built, include_in_schema=False, response_class=PlainTextResponse)


def _is_page(asked: str) -> bool:
    """Judged by the path as asked, before `..` in it is resolved."""
    path = PurePosixPath(asked)
    return path.parts[1:2] not in (("v1",), ("assets",)) and not path.suffix


def _not_built() -> PlainTextResponse:
    return PlainTextResponse(_NOT_BUILT, status_code=404)
