"""`weathervane`: the table of contents of everything a terminal can ask for."""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from weathervane.cli import doctor, examine, import_files, openapi, plan, push, serve, status
from weathervane.cli.automation import automation
from weathervane.cli.calibration import calibration
from weathervane.cli.demo import demo
from weathervane.cli.experiment import experiment
from weathervane.cli.job import job
from weathervane.cli.models import models
from weathervane.cli.scenario import scenario
from weathervane.cli.trigger import trigger
from weathervane.contracts.errors import Stopped, WeatherVaneError

# Read when NumPy starts. What is heavy runs a thread a core itself; threads inside each product only get in its way,
# and a fixed number keeps sums, and so results, the same. JAX is told in model/mmm/running.py.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


class _GlobalsAnywhere(TyperGroup):
    """Lets --state and --tenant stand before or after the verb."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _globals_first(args))


app = typer.Typer(
    name="weathervane",
    cls=_GlobalsAnywhere,
    help="Where next week's marketing money should go, given the weather that is coming, how sure, and how we know.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

plans = typer.Typer(invoke_without_command=True)
plans.callback()(plan.plan)
plans.command("approve")(push.approve)
plans.command("push")(push.push)

# The order here is the order of the help: data, model, plan, tests, looking, machine.
app.command("import")(import_files.import_command)
app.command("status")(status.status)
app.command("train")(plan.train)
app.command("forecast")(plan.forecast)
app.add_typer(plans, name="plan")
app.command("report")(plan.report)
app.add_typer(scenario, name="scenario")
app.command("trigger")(trigger)
app.command("examine")(examine.examine)
app.add_typer(experiment, name="experiment")
app.add_typer(models, name="models")
app.add_typer(automation, name="automation")
app.add_typer(calibration, name="calibration")
app.add_typer(demo, name="demo")
app.add_typer(job, name="job")
app.command("serve")(serve.serve)
app.command("doctor")(doctor.doctor)
app.command("openapi")(openapi.openapi)


@app.callback()
def globals_(
    state: Annotated[Path | None, typer.Option(help="Folder that holds everything; WEATHERVANE_STATE.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Whose data; the only tenant, if there is one.")] = None,
) -> None:
    """Puts what the command line says where settings.py reads it."""
    if state is not None:
        os.environ["WEATHERVANE_STATE"] = str(state)
    if tenant is not None:
        os.environ["WEATHERVANE_TENANT"] = tenant


def main() -> None:
    """Runs the command line. A user's mistake is two lines and an exit code of contracts/errors.py, never a trace."""
    try:
        app(prog_name="weathervane")
    except Stopped as error:
        _say(error.problem, error.remedy)
        sys.stdout.flush()
        sys.stderr.flush()
        # At once: chains that still run would be waited for.
        os._exit(error.exit_code)
    except WeatherVaneError as error:
        _say(error.problem, error.remedy)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001  the door: whatever comes, a user reads one sentence
        _say(f"This is a defect in WeatherVane: {_one_line(error)}.", f"report it with {_crash_log()}.")
        sys.exit(1)


def _globals_first(args: list[str]) -> list[str]:
    front: list[str] = []
    rest: list[str] = []
    words = iter(args)
    for word in words:
        if word == "--":
            return [*front, *rest, word, *words]
        if word in {"--state", "--tenant"}:
            front += [word, *([value] if (value := next(words, None)) is not None else [])]
        elif word.startswith(("--state=", "--tenant=")):
            front.append(word)
        else:
            rest.append(word)
    return front + rest


def _say(problem: str, remedy: str) -> None:
    if "--json" in sys.argv:
        sys.stderr.write(json.dumps({"error": problem, "remedy": remedy}, ensure_ascii=False) + "\n")
    else:
        sys.stderr.write(f"✗ {problem}\n→ {remedy[0].upper()}{remedy[1:]}\n")


def _one_line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".")[:300]


def _crash_log() -> str:
    """Writes the trace into the state folder, or where temporary files go, and returns its path."""
    import tempfile

    from weathervane.cli.clock import now

    name = f"crash-{now():%Y%m%dT%H%M%SZ}-{os.getpid()}.log"
    for folder in (Path(os.environ.get("WEATHERVANE_STATE", "state")) / "telemetry" / "crashes", tempfile.gettempdir()):
        path = Path(folder) / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(traceback.format_exc(), encoding="utf-8")
        except OSError:
            continue
        return str(path)
    return "the output above"


if __name__ == "__main__":
    main()
