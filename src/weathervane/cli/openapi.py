"""`weathervane openapi`: the interface of the service as JSON."""

from __future__ import annotations

import typer


def openapi() -> None:
    """Print the service's interface (OpenAPI 3.1), the same bytes for the same code."""
    from weathervane.api.app import openapi_text

    typer.echo(openapi_text(), nl=False)
