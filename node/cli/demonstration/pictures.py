"""The photos of the story, drawn: a symbol on grey board, the code printed below it. `node.formats.pictures` reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import zxingcpp
from PIL import Image, ImageDraw

_SCALE: Final = 5
"""Pixels of one module of a symbol."""
_BORDER: Final = 60
_BOARD, _INK = 225, 20


def draw_pack(code: str, path: Path) -> None:
    """The Data Matrix on a pack."""
    _draw(zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.DataMatrix), code, path)


def draw_case_label(container: str, path: Path) -> None:
    """The GS1-128 bar code on the label of a case, for its serial shipping container code."""
    _draw(zxingcpp.create_barcode(f"(00){container}", zxingcpp.BarcodeFormat.Code128, gs1=True), f"(00) {container}", path)


def _draw(symbol: zxingcpp.Barcode, printed: str, path: Path) -> None:
    drawn = Image.fromarray(zxingcpp.write_barcode_to_image(symbol, scale=_SCALE))
    board = Image.new("L", (drawn.width + 2 * _BORDER, drawn.height + 2 * _BORDER), _BOARD)
    board.paste(drawn, (_BORDER, _BORDER))
    ImageDraw.Draw(board).text((_BORDER, drawn.height + _BORDER + 15), printed, fill=_INK)
    board.save(path, "PNG")
