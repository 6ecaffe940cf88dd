"""Stopping a long command: Ctrl-C and SIGTERM end it in words, with what stays as it was and what is kept."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

from weathervane.contracts.errors import Stopped


@contextmanager
def stoppable(problem: str, remedy: Callable[[], str]) -> Generator[None]:
    """Raises Stopped with these words where Ctrl-C or SIGTERM comes inside; `remedy` is asked when it has come.

    The one raises an error where the program stands, and so does the other now: writers finish or take back what they
    had begun.
    """

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        raise Stopped(problem, remedy()) from None
    finally:
        signal.signal(signal.SIGTERM, before)
