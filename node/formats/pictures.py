"""From a picture file to the scans in it, in several passes for photos that are hard to read.

What a scan means is left to `federation.uim`. A wrong code names a wrong pack, so two passes that read the same symbol in two
ways have read nothing, and what is there and cannot be read is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

import zxingcpp
from PIL import Image, ImageFilter

from federation import limits
from federation.errors import InvalidScan
from federation.uim.check import CheckMethod, check_holds
from federation.uim.codes import Carrier
from node.formats.dotcode.reader import read_dotcodes
from node.formats.light import evened
from node.formats.picture_files import open_picture
from node.formats.places import Corners, frame, overlap
from node.formats.stripes import slants, turned, turned_back


class ProductCode(StrEnum):
    """What names a product and no single pack."""

    EAN_13 = "ean-13"
    """UPC-A as well, with a zero in front."""
    ITF_14 = "itf-14"


_MARKINGS: Final = {
    zxingcpp.BarcodeFormat.DataMatrix: Carrier.DATA_MATRIX,
    zxingcpp.BarcodeFormat.QRCode: Carrier.QR,
    zxingcpp.BarcodeFormat.PDF417: Carrier.PDF417,
    zxingcpp.BarcodeFormat.Aztec: Carrier.AZTEC,
    zxingcpp.BarcodeFormat.Code128: Carrier.CODE_128,
}
_PRODUCTS: Final = {
    zxingcpp.BarcodeFormat.EANUPC: ProductCode.EAN_13,
    zxingcpp.BarcodeFormat.ITF: ProductCode.ITF_14,
}
_KINDS: Final[dict[zxingcpp.BarcodeFormat, Carrier | ProductCode]] = {**_MARKINGS, **_PRODUCTS}
_SYMBOLS: Final = zxingcpp.barcode_formats_from_str("DataMatrix,QRCode,PDF417,Aztec,Code128,EAN13,UPCA,ITF")
_BARS: Final = zxingcpp.barcode_formats_from_str("Code128,EAN13,UPCA,ITF")
_REPORTED_UNREAD: Final = frozenset({Carrier.DATA_MATRIX, Carrier.QR, Carrier.PDF417, Carrier.AZTEC})
"""Those with a shape of their own. Any print looks like the bars of a code that cannot be read."""
_UNREAD_SIDE_MIN: Final = 30
"""Pixels: two for each module of a marking. Letters are smaller, and some look like the corner of a symbol."""
_DIGITS: Final = {ProductCode.EAN_13: 13, ProductCode.ITF_14: 14}
"""Shorter ones are found in any striped print."""

_PASSES: Final[tuple[Callable[[Image.Image], Image.Image], ...]] = (
    lambda picture: picture.resize((2 * picture.width, 2 * picture.height), Image.Resampling.LANCZOS),
    lambda picture: picture.filter(ImageFilter.MedianFilter(3)),
    lambda picture: picture.filter(ImageFilter.GaussianBlur(1)),
)
"""Small print, speckles and hard edges, each with its cure; low contrast and shadows have theirs in `light`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One marking in a picture.

    Attributes:
        scan: as a hand scanner gives it: the symbology identifier of ISO/IEC 15424, then the data with its separators (0x1D).
        carrier: what kind of symbol it is.
        corners: where it is.
    """

    scan: str
    carrier: Carrier
    corners: Corners = field(default=(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product's own code: the same on every pack of a kind, so nothing can be asked about it."""

    text: str
    kind: ProductCode
    corners: Corners = field(default=(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """What looks like a symbol and cannot be read."""

    carrier: Carrier
    corners: Corners = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All that was seen in one picture.

    Attributes:
        readings: each scan once.
    """

    readings: tuple[Reading, ...]
    products: tuple[Product, ...]
    unread: tuple[Unread, ...]


def read_picture(raw: bytes) -> tuple[Reading, ...]:
    """Find the markings in a JPEG, PNG, WebP or BMP file; each scan once, at least one.

    Raises:
        Oversized, InvalidInput: as `open_picture` says.
        InvalidScan: no marking in it can be read.
    """
    readings = look_at_picture(raw).readings
    if not readings:
        raise InvalidScan(
            "no code was found in the picture",
            hint="take it closer, in focus and in even light, a DotCode four pixels from dot to dot; or type what is printed",
        )
    return readings


def look_at_picture(raw: bytes) -> Findings:
    """Everything in a JPEG, PNG, WebP or BMP file that is a symbol, read or not.

    Raises:
        Oversized, InvalidInput: as `open_picture` says.
    """
    picture = open_picture(raw)
    smaller = _within(picture, limits.PICTURE_PIXELS_MAX // 4)  # the passes that enlarge stay inside the bound
    seen = _Seen()
    seen.add_all(_symbols(picture))
    seen.add_all(_dotcodes(picture))
    even = evened(smaller)
    seen.add_all(_slanted_bars(even, even.width / picture.width))
    if seen.is_incomplete or picture.width * picture.height <= limits.PICTURE_PIXELS_THOROUGH:
        for prepared in (even, *(prepare(smaller) for prepare in _PASSES)):
            seen.add_all(_symbols(prepared, prepared.width / picture.width))
    return seen.findings()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Symbol:
    """What one reader says of one place.

    Attributes:
        scan: None when it sees a symbol and cannot read it.
    """

    scan: str | None
    kind: Carrier | ProductCode
    corners: Corners

    @property
    def strength(self) -> int:
        """Of two readings of one place: error correction before a check digit before nothing."""
        return 0 if self.scan is None else 1 if self.kind is Carrier.CODE_128 or isinstance(self.kind, ProductCode) else 2


class _Seen:
    """The symbols of all passes, one for each place."""

    def __init__(self) -> None:
        self._symbols: list[_Symbol] = []

    @property
    def is_incomplete(self) -> bool:
        return not any(symbol.scan is not None and isinstance(symbol.kind, Carrier) for symbol in self._symbols) or any(
            symbol.scan is None for symbol in self._symbols
        )

    def add_all(self, symbols: Iterable[_Symbol]) -> None:
        """The symbols of one pass."""
        for symbol in symbols:
            self.add(symbol)

    def add(self, symbol: _Symbol) -> None:
        """The stronger of two readings of one place stays; of two different ones that are equally strong, neither."""
        for number, other in enumerate(self._symbols):
            if not overlap(symbol.corners, other.corners):
                continue
            if symbol.strength > other.strength:
                self._symbols[number] = symbol
            elif symbol.strength == other.strength and (symbol.scan, symbol.kind) != (other.scan, other.kind):
                self._symbols[number] = _Symbol(scan=None, kind=other.kind, corners=other.corners)
            return
        self._symbols.append(symbol)

    def findings(self) -> Findings:
        """Each scan once, in the order of reading. What was read is not told as unread as well, however its place looks otherwise."""
        readings: dict[str, Reading] = {}
        products: dict[str, Product] = {}
        unread: list[Unread] = []
        for symbol in self._symbols:
            if isinstance(symbol.kind, ProductCode):
                if symbol.scan is not None:
                    products.setdefault(symbol.scan, Product(text=symbol.scan, kind=symbol.kind, corners=symbol.corners))
            elif symbol.scan is not None:
                readings.setdefault(symbol.scan, Reading(scan=symbol.scan, carrier=symbol.kind, corners=symbol.corners))
            elif not any(other.scan is not None and overlap(symbol.corners, other.corners) for other in self._symbols):
                unread.append(Unread(carrier=symbol.kind, corners=symbol.corners))
        return Findings(readings=tuple(readings.values()), products=tuple(products.values()), unread=tuple(unread))


def _dotcodes(picture: Image.Image) -> Iterator[_Symbol]:
    for sighting in read_dotcodes(picture):
        scan = None if sighting.message is None else sighting.message.scan
        yield _Symbol(scan=scan, kind=Carrier.DOTCODE, corners=sighting.corners)


def _slanted_bars(picture: Image.Image, share: float) -> Iterator[_Symbol]:
    """Codes of bars that lie askew, in the picture turned until they stand upright."""
    for slant in slants(picture):
        upright = turned(picture, slant)
        for symbol in _symbols(upright, formats=_BARS):
            corners = turned_back(symbol.corners, slant, upright.size, picture.size)
            yield replace(symbol, corners=_scaled(corners, share))


def _symbols(picture: Image.Image, share: float = 1.0, formats: zxingcpp.BarcodeFormats = _SYMBOLS) -> Iterator[_Symbol]:
    """One pass. The corners are those in the picture as it came, of which this one is an enlarged or reduced share."""
    found = zxingcpp.read_barcodes(picture, formats=formats, text_mode=zxingcpp.TextMode.Plain, return_errors=True)
    for symbol in found:
        kind = _KINDS.get(symbol.symbology)
        if kind is None:
            continue
        place = symbol.position
        points = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
        corners = _scaled(tuple((point.x, point.y) for point in points), share)
        scan = _scan(symbol, kind)
        left, top, right, bottom = frame(corners)
        is_told = kind in _REPORTED_UNREAD and min(right - left, bottom - top) >= _UNREAD_SIDE_MIN
        if scan is not None or is_told:
            yield _Symbol(scan=scan, kind=kind, corners=corners)


def _scaled(corners: Corners, share: float) -> Corners:
    return tuple((round(x / share), round(y / share)) for x, y in corners)


def _scan(symbol: zxingcpp.Barcode, kind: Carrier | ProductCode) -> str | None:
    """None when it cannot be read, or is longer than any scan."""
    if not symbol.valid or not symbol.text:
        return None
    if isinstance(kind, ProductCode):
        whole = len(symbol.text) == _DIGITS[kind]
        return symbol.text if whole and check_holds(CheckMethod.GS1_MOD_10, symbol.text) else None
    scan = f"{symbol.symbology_identifier}{symbol.text}"
    return scan if len(scan) <= limits.SCAN_CHARACTERS_MAX else None


def _within(picture: Image.Image, pixels_max: int) -> Image.Image:
    if picture.width * picture.height <= pixels_max:
        return picture
    share = (pixels_max / (picture.width * picture.height)) ** 0.5
    return picture.resize((max(1, int(picture.width * share)), max(1, int(picture.height * share))))
