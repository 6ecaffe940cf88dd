"""Starting a command: `weathervane --help` beside the help of an empty Typer program, in CPU seconds, in turn."""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys

from benchmarks.figure import Figure, print_figures

_OURS = "import sys\nfrom weathervane.cli.main import main\nsys.argv = ['weathervane', '--help']\nmain()"
_EMPTY = """
import sys, typer
app = typer.Typer()
app.command('one')(lambda: None)
app.command('two')(lambda: None)
sys.argv = ['empty', '--help']
app()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="3 runs of each instead of 9")
    runs = 3 if parser.parse_args().small else 9
    pairs = [(_cpu_of(_OURS), _cpu_of(_EMPTY)) for _ in range(runs)]
    ours, empty = (statistics.median(each) for each in zip(*pairs, strict=True))
    print_figures(
        [
            Figure("CPU of `weathervane --help`", ours, "s"),
            Figure("CPU of an empty Typer program's help", empty, "s"),
            Figure("ours over the empty one", ours / empty, "ratio", "at most 1.6", ours <= 1.6 * empty),
        ]
    )


def _cpu_of(code: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
