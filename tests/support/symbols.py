"""Draws the symbols that `node.formats.pictures` reads."""

from __future__ import annotations

import io

import zxingcpp
from PIL import Image


def symbol(text: str, symbology=zxingcpp.BarcodeFormat.DataMatrix, *, scale: int = 4, gs1: bool = False) -> Image.Image:
    drawn = zxingcpp.create_barcode(text, symbology, gs1=gs1).to_image(scale=scale, add_quiet_zones=True)
    height, width = drawn.shape
    return Image.frombytes("L", (width, height), bytes(memoryview(drawn)))


def file_of(picture: Image.Image, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()
