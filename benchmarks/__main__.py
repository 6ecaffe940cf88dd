"""All subjects, one after the other, each in a process of its own; arguments are passed on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_NOT_SUBJECTS = {"__init__", "__main__", "figure"}


def main() -> None:
    here = Path(__file__).parent
    modules = (*here.glob("*.py"), *(main.parent for main in here.glob("*/__main__.py")))
    subjects = sorted(path.stem for path in modules if path.stem not in _NOT_SUBJECTS)
    codes = [
        subprocess.run([sys.executable, "-m", f"benchmarks.{subject}", *sys.argv[1:]], check=False).returncode
        for subject in subjects
    ]
    sys.exit(max(codes, default=0))


if __name__ == "__main__":
    main()
