"""Chart style: the ink, the axes and the bytes that all pictures share."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # matplotlib takes a third of a second to load: only drawing pays for it
    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

INK, QUIET, PAPER, RULE, ACCENT = "#1f2328", "#5b636b", "#ffffff", "#d9dde1", "#2f5d8a"


def style(*, left_spine: bool = False) -> dict[RcKeyType, object]:
    """The settings to draw under; a picture with amounts on its left side keeps the line there."""
    return {
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "text.color": INK,
        "axes.edgecolor": RULE,
        "axes.labelcolor": QUIET,
        "xtick.color": QUIET,
        "ytick.color": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.spines.left": left_spine,
    }


def png(figure: Figure) -> bytes:
    """PNG bytes, the same for the same figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    out = io.BytesIO()
    # The version of the drawing library would change the bytes without changing the picture.
    FigureCanvasAgg(figure).print_figure(out, format="png", metadata={"Software": None})
    return out.getvalue()
