"""`weathervane serve`: the plan in a browser on this machine."""

from __future__ import annotations

import errno
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from weathervane.contracts.errors import BadInput
from weathervane.contracts.tenant import check_tenant_id

if TYPE_CHECKING:
    from weathervane.settings import Settings


def serve(
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes any free one.")] = None,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the page in the default browser.")] = False,
) -> None:
    """Show the plan in the browser (this machine only)."""
    import uvicorn

    from weathervane.api.app import create_app
    from weathervane.cli.options import settings as read_settings

    settings = read_settings()
    listening = _listen(settings.port if port is None else port)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/{_asked_tenant(settings)}"
    web = _web_folder()
    typer.echo(f"WeatherVane is at {url}  (Ctrl-C stops it)")
    _say_what_is_missing(settings, web)
    if open_browser:
        _open_in_browser(url)
    app = create_app(settings.state, settings.database_url, web)
    uvicorn.Server(uvicorn.Config(app, log_level="warning", server_header=False)).run(sockets=[listening])


def _listen(port: int) -> socket.socket:
    """A socket on the loopback address, so that a taken port is known before anything is promised."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
        listening.listen(128)
    except (OSError, OverflowError) as error:
        listening.close()
        raise _port_problem(port, error) from error
    return listening


def _port_problem(port: int, error: OSError | OverflowError) -> BadInput:
    remedy = "choose another with `weathervane serve --port 8790`, or let it find a free one with `--port 0`."
    if isinstance(error, OverflowError):
        return BadInput(f"{port} is not a valid port: ports go from 0 to 65535.", remedy)
    if error.errno == errno.EADDRINUSE:
        return BadInput(f"Port {port} is taken, perhaps by another `weathervane serve`.", remedy)
    return BadInput(f"Port {port} cannot be used: {error.strerror}.", remedy)


def _asked_tenant(settings: Settings) -> str:
    return "" if settings.tenant is None else f"?tenant={check_tenant_id(settings.tenant)}"


def _web_folder() -> Path | None:
    """The web app as built in this checkout, if it is."""
    dist = Path(__file__).resolve().parents[3] / "apps" / "web" / "dist"
    return dist if (dist / "index.html").is_file() else None


def _say_what_is_missing(settings: Settings, web: Path | None) -> None:
    from weathervane.store import results

    if web is None:
        typer.echo("The page is not built yet. Next: make serve")
    if not any(tenant.has_plan for tenant in results.tenants(settings.state, settings.database_url)):
        typer.echo(
            "There is no plan yet. Next: make demo, or `weathervane import` and `weathervane plan` for your own data."
        )


def _open_in_browser(url: str) -> None:
    # The socket already listens, so the browser may ask before the server answers; some browsers block their caller.
    import threading
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
