"""Drawings as SVG to stand inside the page: matplotlib's, with what a page cannot have taken out.

Texts stay texts in the page's own fonts (matplotlib needs no Chinese font), ids cannot clash, and
the same figure gives the same bytes.
"""

from __future__ import annotations

import io
import logging
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, SOFT, GRID = "#1d2329", "#5b6570", "#e3e7eb"
_RC: dict[str, Any] = {
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans"],  # comes with matplotlib; the page's fonts take its place
    "text.parse_math": False,
    "text.color": INK,
    "axes.labelcolor": SOFT,
    "axes.edgecolor": "#9aa3ac",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": "#9aa3ac",
    "ytick.color": "#9aa3ac",
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "path.simplify": False,
}

_SIZES = ("font.size", "axes.labelsize", "xtick.labelsize", "ytick.labelsize")

_HEAD = re.compile(r"^.*?<svg[^>]*?(viewBox=\"[^\"]*\")[^>]*>", re.DOTALL)
_FONT = re.compile(r"font-family: [^;\"]*;? ?")
_TAG = re.compile(r"<[^>]*>", re.DOTALL)
_DECIMALS = re.compile(r"(?<![#\w])(-?\d+\.\d{2})\d+")


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep matplotlib from telling about fonts: the page's, not its own, will draw the texts."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            yield
    finally:
        logger.setLevel(level)


def drawing(
    key: str,
    label: str,
    size: tuple[int, int],
    draw: Callable[[Axes], None],
    *,
    margins: tuple[int, int, int, int],
    font_size: float = 11,
) -> Markup:
    """Return a drawing as an `<svg>` element.

    Parameters
    ----------
    key
        Unlike that of any other drawing on the page: its ids begin with it.
    label
        What a screen reader says.
    size, margins
        Width and height, and left, right, top, bottom around the axes, in CSS pixels. They are
        fixed, since matplotlib does not know how wide the page's fonts are.
    draw
        Draws on the axes.
    """
    with _quiet():
        import matplotlib as mpl
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure

        with mpl.rc_context():
            mpl.rcdefaults()  # whatever the user's matplotlibrc says
            sizes = dict.fromkeys(_SIZES, font_size)
            settings: Any = _RC | sizes | {"svg.hashsalt": key}
            mpl.rcParams.update(settings)
            width, height = size
            left, right, top, bottom = margins
            figure = Figure(figsize=(width / 72, height / 72), dpi=72)
            FigureCanvasSVG(figure)
            axes = figure.add_axes(
                (
                    left / width,
                    bottom / height,
                    (width - left - right) / width,
                    (height - top - bottom) / height,
                )
            )
            draw(axes)
            # Beside the widest tick labels, wherever matplotlib believes those to end.
            axes.yaxis.set_label_coords(-(left - 12) / (width - left - right), 0.5)
            written = io.StringIO()
            nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
            figure.savefig(written, format="svg", metadata=nothing, transparent=True)
    return Markup(_inside(written.getvalue(), key, label))  # noqa: S704 texts are escaped


def _inside(text: str, key: str, label: str) -> str:
    text = text.replace("\r\n", "\n")
    head = _HEAD.match(text)
    if head is None:
        raise RuntimeError("matplotlib wrote no svg")
    body = text[head.end() :]
    body = re.sub(r"<style.*?</style>|<metadata>.*?</metadata>|<!--.*?-->", "", body, flags=re.S)
    body = body.replace("xlink:href", "href")
    body = _FONT.sub("", body)
    used = set(re.findall(r"(?:url\(|href=\")#([\w.-]+)", body))
    body = re.sub(r' id="([^"]*)"', lambda m: f' id="{key}-{m[1]}"' if m[1] in used else "", body)
    body = re.sub(r'(url\(|href=")#', rf"\g<1>#{key}-", body)
    body = _TAG.sub(lambda m: _DECIMALS.sub(r"\1", m[0]), body)  # coordinates, never texts
    body = re.sub(r"\s*\n\s*", " ", body)
    body = re.sub(r"> <", "><", body)
    body = re.sub(r"<defs>\s*</defs>", "", body)
    return f'<svg {head[1]} role="img" aria-label="{escape(label)}">{body}'.strip()
