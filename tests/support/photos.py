"""Photos of markings, made here: a symbol on grey board with print beside it, turned, tilted, blurred, badly lit, noisy, damaged.

All of it comes from a seed, so that a photo that was read wrongly can be made again. DotCode is drawn from the matrix of `zint`,
a program that shares nothing with the reader.
"""

from __future__ import annotations

import io
import os
import random
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from shutil import which

import numpy as np
import pytest
import zxingcpp
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from federation.uim.codes import Carrier

MODULE = 8
"""Pixels of a module while a photo is made; it is reduced at the end."""
BOARD = 215
MARGIN = 40
INK = 35
DOT = 0.82
"""Diameter of a printed dot in modules."""
_SYMBOLOGIES = {
    Carrier.DATA_MATRIX: (zxingcpp.BarcodeFormat.DataMatrix, "]d1"),
    Carrier.QR: (zxingcpp.BarcodeFormat.QRCode, "]Q1"),
    Carrier.CODE_128: (zxingcpp.BarcodeFormat.Code128, "]C0"),
}


@dataclass(frozen=True, kw_only=True)
class Damage:
    """What happens to a photo.

    Attributes:
        turn: by up to so many degrees, either way.
        tilt: how much shorter the far side is than the near one, at most.
        blur: of the lens, as a share of a module.
        shadow: how much darker the darkest corner is, from 0 to 1.
        noise: of the sensor, in shades of grey.
        faults: share of modules that lost their ink, and half as many that got some.
        quality: of the JPEG file.
    """

    turn: float = 0
    tilt: float = 0
    blur: float = 0
    shadow: float = 0
    noise: float = 0
    faults: float = 0
    quality: int = 90


DAMAGES = {
    "none": Damage(),
    "turned": Damage(turn=180),
    "tilted": Damage(turn=30, tilt=0.15),
    "blurred": Damage(turn=30, blur=0.5),
    "shadow": Damage(turn=30, shadow=0.7),
    "noise": Damage(turn=30, noise=14, quality=45),
    "faults": Damage(turn=30, faults=0.03),
    "a little of all": Damage(turn=180, tilt=0.08, blur=0.3, shadow=0.4, noise=6, faults=0.01, quality=75),
    "much of all": Damage(turn=180, tilt=0.15, blur=0.5, shadow=0.6, noise=12, faults=0.03, quality=50),
}


def zint(*arguments: str) -> str:
    """What the program prints. Without it the calling test is skipped, and fails with CI=true."""
    if which("zint") is None:
        reason = "the reader of DotCode is tested on symbols of another program: install the package zint"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return subprocess.run(["zint", *arguments], check=True, capture_output=True, text=True).stdout


def dotcode(text: str, *arguments: str) -> list[list[int]]:
    """The matrix of a DotCode: 1 where there is a dot."""
    dumped = zint("-b", "DOTCODE", "--dump", "-d", text, *arguments).split("\n")
    rows = ["".join(f"{int(digit, 16):04b}" for digit in line.replace(" ", "")) for line in dumped if line.strip()]
    width = max(len(row.rstrip("0")) for row in rows)
    width += (len(rows) + width + 1) % 2  # the last column may be empty; rows and columns have an odd sum
    return [[int(place) for place in row[:width].ljust(width, "0")] for row in rows]


def drawn_dots(matrix: Sequence[Sequence[float]], module: int = MODULE) -> Image.Image:
    """Black dots on white with a margin of three modules."""
    drawn = Image.new("L", (module * (len(matrix[0]) + 6), module * (len(matrix) + 6)), "white")
    pen = ImageDraw.Draw(drawn)
    for row, places in enumerate(matrix):
        for column, place in enumerate(places):
            if place:
                x, y, half = module * (column + 3.5), module * (row + 3.5), module * DOT / 2
                pen.ellipse((x - half, y - half, x + half, y + half), fill="black")
    return drawn


def marking(text: str, carrier: Carrier) -> tuple[Image.Image, str]:
    """A symbol at `MODULE` pixels a module, and the scan that it should give. Plain text that begins with a letter."""
    if carrier is Carrier.DOTCODE:
        return drawn_dots(dotcode(text)), f"]J0{text}"
    symbology, identifier = _SYMBOLOGIES[carrier]
    as_on_packs = {Carrier.QR: {"ec_level": "H"}, Carrier.DATA_MATRIX: {"force_square": True}}.get(carrier, {})
    symbol = zxingcpp.create_barcode(text, symbology, **as_on_packs).to_image(scale=MODULE, add_quiet_zones=True)
    height, width = symbol.shape
    return Image.frombytes("L", (width, height), bytes(memoryview(symbol))), identifier + text


def photo(symbol: Image.Image, text: str, damage: Damage, pixels: float, seed: int) -> bytes:
    """A JPEG file in which a module of the symbol has so many pixels."""
    chance = random.Random(seed)
    ink = _with_faults(symbol, damage.faults, chance).point(lambda shade: INK + shade * (BOARD - INK) // 255)
    board = Image.new("L", (ink.width + 10 * MODULE, ink.height + 16 * MODULE), BOARD)
    board.paste(ink, (5 * MODULE, 4 * MODULE))
    pen = ImageDraw.Draw(board)
    pen.text((6 * MODULE, ink.height + 6 * MODULE), text, fill=INK, font=ImageFont.load_default(3 * MODULE))
    tilted = _tilted(board, damage.tilt * chance.random())
    degrees = chance.uniform(-damage.turn, damage.turn)
    turned = tilted.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=BOARD) if degrees else tilted
    seen = turned.filter(ImageFilter.GaussianBlur(damage.blur * MODULE)) if damage.blur else turned
    share = pixels / MODULE
    small = seen.resize((round(seen.width * share), round(seen.height * share)), Image.Resampling.LANCZOS)
    lit = _lit(small, damage, np.random.default_rng(seed))
    file = io.BytesIO()
    lit.save(file, "JPEG", quality=damage.quality)
    return file.getvalue()


def _with_faults(symbol: Image.Image, share: float, chance: random.Random) -> Image.Image:
    faulty = symbol.copy()
    pen = ImageDraw.Draw(faulty)
    across, down = symbol.width // MODULE, symbol.height // MODULE
    for number in range(round(share * across * down)):
        x, y = MODULE * chance.randrange(2, across - 2), MODULE * chance.randrange(2, down - 2)
        for colour in ("white", "black") if number % 2 else ("white",):
            pen.ellipse((x + 1, y + 1, x + MODULE - 1, y + MODULE - 1), fill=colour)
            x, y = MODULE * chance.randrange(2, across - 2), MODULE * chance.randrange(2, down - 2)
    return faulty


def _tilted(picture: Image.Image, share: float) -> Image.Image:
    """The upper edge is further away: shorter, and everything near it smaller."""
    width, height = picture.size
    inset = share * width / 2
    source = ((0, 0), (width, 0), (width, height), (0, height))
    target = ((inset, 0), (width - inset, 0), (width, height), (0, height))
    rows, values = [], []
    for (x, y), (to_x, to_y) in zip(source, target, strict=True):
        rows += [[to_x, to_y, 1, 0, 0, 0, -x * to_x, -x * to_y], [0, 0, 0, to_x, to_y, 1, -y * to_x, -y * to_y]]
        values += [x, y]
    factors = np.linalg.solve(np.array(rows), np.array(values))
    return picture.transform(
        picture.size, Image.Transform.PERSPECTIVE, factors.tolist(), Image.Resampling.BICUBIC, fillcolor=BOARD
    )


def _lit(picture: Image.Image, damage: Damage, noise: np.random.Generator) -> Image.Image:
    shades = np.asarray(picture, dtype=np.float64)
    down, across = np.mgrid[0 : shades.shape[0], 0 : shades.shape[1]]
    light = 1 - damage.shadow * (down / shades.shape[0] + across / shades.shape[1]) / 2
    shades = shades * light + noise.normal(0, damage.noise, shades.shape) if damage.noise else shades * light
    return Image.fromarray(np.clip(shades, 0, 255).astype(np.uint8))


def scene(symbols: Sequence[Image.Image], width: int, degrees: Sequence[float], pixels: float) -> Image.Image:
    """Several symbols on one table, row by row, each turned by so many degrees, at so many pixels a module."""
    table = Image.new("L", (width, 2 * width), BOARD)
    left = top = below = MARGIN
    for symbol, turn in zip(symbols, degrees, strict=True):
        inked = symbol.point(lambda shade: INK + shade * (BOARD - INK) // 255)
        turned = inked.rotate(turn, Image.Resampling.BICUBIC, expand=True, fillcolor=BOARD)
        share = pixels / MODULE
        small = turned.resize((round(turned.width * share), round(turned.height * share)), Image.Resampling.LANCZOS)
        if left + small.width + MARGIN > width:
            left, top = MARGIN, below
        table.paste(small, (left, top))
        left, below = left + small.width + MARGIN, max(below, top + small.height + MARGIN)
    return table.crop((0, 0, width, below))


def spoilt(symbol: Image.Image) -> Image.Image:
    """Its middle was scratched off: more than error correction makes good."""
    scratched = symbol.copy()
    width, height = symbol.size
    ImageDraw.Draw(scratched).polygon(
        ((width * 0.35, height * 0.2), (width * 0.65, height * 0.2), (width * 0.6, height * 0.8), (width * 0.4, height * 0.8)),
        fill=255,
    )
    return scratched
