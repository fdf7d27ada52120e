"""From a picture file to the scans in it: Data Matrix, QR and Code 128, in several passes for photos that are hard to read.

What a scan means is left to `federation.uim`. DotCode is not read: the reader that this stands on does not know it.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import zxingcpp
from PIL import Image, ImageFilter, ImageOps

from federation import limits
from federation.errors import InvalidInput, InvalidScan, Oversized
from federation.uim.codes import Carrier

_FILE_FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP")
"""What phones and scanners make; every further decoder is one more thing to attack."""

_CARRIERS: Final = {
    zxingcpp.BarcodeFormat.DataMatrix: Carrier.DATA_MATRIX,
    zxingcpp.BarcodeFormat.QRCode: Carrier.QR,
    zxingcpp.BarcodeFormat.Code128: Carrier.CODE_128,
}

_SYMBOLS: Final = zxingcpp.barcode_formats_from_str("DataMatrix,QRCode,Code128")

_PASSES: Final[tuple[Callable[[Image.Image], Image.Image], ...]] = (
    lambda picture: picture,
    lambda picture: picture.resize((2 * picture.width, 2 * picture.height), Image.Resampling.LANCZOS),
    lambda picture: ImageOps.autocontrast(picture, cutoff=2),
    lambda picture: picture.filter(ImageFilter.MedianFilter(3)),
    lambda picture: picture.filter(ImageFilter.GaussianBlur(1)),
)
"""Small print, low contrast, speckles and hard edges, each with its cure; the first pass that finds something is the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One symbol in a picture.

    Attributes:
        scan: as a hand scanner gives it: the symbology identifier of ISO/IEC 15424, then the data with its separators (0x1D).
        carrier: what kind of symbol it is.
    """

    scan: str
    carrier: Carrier


def read_picture(raw: bytes) -> tuple[Reading, ...]:
    """Find the symbols in a JPEG, PNG, WebP or BMP file; each scan once, at least one.

    Raises:
        Oversized: the file, or the picture in it, is larger than `limits` allows; nothing was decoded.
        InvalidInput: it is no such file.
        InvalidScan: no symbol in it can be read.
    """
    if len(raw) > limits.PICTURE_BYTES_MAX:
        raise _too_large(f"the file has more than {limits.PICTURE_BYTES_MAX // 1_048_576} MiB")
    picture = _decode(raw)
    smaller = _within(picture, limits.PICTURE_PIXELS_MAX // 4)  # the pass that enlarges stays inside the bound
    for number, prepare in enumerate(_PASSES):
        found = tuple(_readings(prepare(smaller if number else picture)))
        if found:
            return found
    raise InvalidScan(
        "no code was found in the picture",
        hint="take it closer, in focus and in even light; for a DotCode, type the characters that are printed beside it",
    )


def _readings(picture: Image.Image) -> Iterator[Reading]:
    symbols = zxingcpp.read_barcodes(picture, formats=_SYMBOLS, text_mode=zxingcpp.TextMode.Plain)
    seen: set[str] = set()
    for symbol in symbols:
        scan = symbol.symbology_identifier + symbol.text
        if symbol.text and len(scan) <= limits.SCAN_CHARACTERS_MAX and scan not in seen:
            seen.add(scan)
            yield Reading(scan=scan, carrier=_CARRIERS[symbol.symbology])


def _decode(raw: bytes) -> Image.Image:
    """Shades of grey on white; the size is known from the file's header before a pixel is unpacked."""
    with _foreign_bytes():
        picture: Image.Image = Image.open(io.BytesIO(raw), formats=_FILE_FORMATS)
    if picture.width * picture.height > limits.PICTURE_PIXELS_MAX:
        raise _too_large(f"the picture has more than {limits.PICTURE_PIXELS_MAX // 1_000_000} million pixels")
    with _foreign_bytes():
        if picture.has_transparency_data:
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture.convert("RGBA"))
        return picture.convert("L")


@contextmanager
def _foreign_bytes() -> Iterator[None]:
    """Pillow's decoders have no common error (OSError, SyntaxError, ValueError, struct.error and more); all mean one thing."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own bound is lower
            yield
    except Image.DecompressionBombError:
        raise _too_large("the picture unpacks to far more than its file") from None
    except Exception as error:
        raise InvalidInput("this file is no picture that can be read", hint="save it as JPEG or PNG") from error


def _within(picture: Image.Image, pixels_max: int) -> Image.Image:
    if picture.width * picture.height <= pixels_max:
        return picture
    share = (pixels_max / (picture.width * picture.height)) ** 0.5
    return picture.resize((max(1, int(picture.width * share)), max(1, int(picture.height * share))))


def _too_large(message: str) -> Oversized:
    return Oversized(message, hint="send a smaller picture, or the part of it that shows the code")
