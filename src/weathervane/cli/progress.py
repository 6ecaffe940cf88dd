"""Progress of a long command: one bar, and in words what is being done."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager


@contextmanager
def stages(expected: int, *, quiet: bool = False) -> Generator[Callable[[str], None]]:
    """A function to call at the start of each stage; `expected` calls fill the bar. Nothing is shown when quiet.

    A phrase names the stage; a whole sentence, with its full stop, is said and stays on the screen.
    """
    if quiet:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), BarColumn(bar_width=24), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=expected)

        def next_stage(words: str) -> None:
            if words.endswith("."):
                bar.console.print(words, highlight=False)
                return
            bar.update(task, description=words, advance=1)

        yield next_stage
