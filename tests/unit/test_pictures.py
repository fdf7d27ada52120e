"""Pictures: symbols drawn here are read back, separators included, and hostile files end in our errors."""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import suppress

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from federation import limits
from federation.errors import FederationError, InvalidInput, InvalidScan, Oversized
from federation.uim.codes import Carrier
from federation.uim.scan import read_scan
from node.formats.pictures import Findings, Reading, look_at_picture, read_picture
from tests.support.symbols import file_of, symbol

GS1 = "(01)04012345678901(21)ABC123(8008)25052009"
GS1_DATA = "010401234567890121ABC123\x1d800825052009"
CARRIERS = {
    zxingcpp.BarcodeFormat.DataMatrix: (Carrier.DATA_MATRIX, "]d1", "]d2"),
    zxingcpp.BarcodeFormat.QRCode: (Carrier.QR, "]Q1", "]Q3"),
    zxingcpp.BarcodeFormat.Code128: (Carrier.CODE_128, "]C0", "]C1"),
}


@pytest.mark.parametrize("symbology", CARRIERS, ids=lambda symbology: CARRIERS[symbology][0])
def test_plain_codes_are_read_with_their_symbology(symbology):
    carrier, identifier, _ = CARRIERS[symbology]
    assert read_picture(file_of(symbol("LEQN1a7Kd93XzP01", symbology))) == (
        Reading(scan=f"{identifier}LEQN1a7Kd93XzP01", carrier=carrier),
    )


@pytest.mark.parametrize("symbology", CARRIERS, ids=lambda symbology: CARRIERS[symbology][0])
def test_gs1_codes_keep_their_separators(symbology):
    _, _, identifier = CARRIERS[symbology]
    (reading,) = read_picture(file_of(symbol(GS1, symbology, gs1=True)))
    assert reading.scan == identifier + GS1_DATA
    assert read_scan(reading.scan).qualifiers == ("01", "21", "8008")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP"])
def test_the_usual_files_are_read(kind):
    assert read_picture(file_of(symbol("ABC123"), kind))[0].scan == "]d1ABC123"


def test_a_symbol_on_transparent_ground_is_read():
    drawn = symbol("ABC123")
    clear = Image.merge("LA", (drawn, drawn.point(lambda shade: 255 - shade)))
    assert read_picture(file_of(clear))[0].scan == "]d1ABC123"


def test_all_symbols_of_a_picture_are_read_each_once():
    sheet = Image.new("L", (600, 300), "white")
    for place, text in enumerate(("FIRST1", "SECOND2", "FIRST1")):
        sheet.paste(symbol(text), (20 + 190 * place, 80))
    assert {reading.scan for reading in read_picture(file_of(sheet))} == {"]d1FIRST1", "]d1SECOND2"}
    assert len(read_picture(file_of(sheet))) == 2


def test_a_speckled_symbol_needs_a_later_pass():
    speckled = symbol("LEQN1a7Kd93XzP01", scale=3).filter(ImageFilter.GaussianBlur(1.2))
    dark = speckled.point(lambda shade: 100 + shade // 12)
    assert read_picture(file_of(dark))[0].scan == "]d1LEQN1a7Kd93XzP01"


def test_a_picture_without_a_code_says_what_to_do():
    with pytest.raises(InvalidScan, match="no code was found") as caught:
        read_picture(file_of(Image.new("L", (200, 200), "white")))
    assert "DotCode" in caught.value.hint


def test_a_symbol_longer_than_any_scan_is_passed_over():
    with pytest.raises(InvalidScan):
        read_picture(file_of(symbol("A" * (limits.SCAN_CHARACTERS_MAX + 1))))


@pytest.mark.parametrize("raw", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n", b"%PDF-1.7"])
def test_other_files_are_refused(raw):
    with pytest.raises(InvalidInput, match="no picture"):
        read_picture(raw)


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "PPM"])
def test_formats_that_nobody_needs_here_are_refused(kind):
    with pytest.raises(InvalidInput):
        read_picture(file_of(symbol("ABC123"), kind))


def test_a_file_that_is_too_large_is_not_opened():
    with pytest.raises(Oversized, match="20 MiB"):
        read_picture(bytes(limits.PICTURE_BYTES_MAX + 1))


@pytest.mark.parametrize(("width", "height"), [(10_000, 5_001), (10_000, 10_000), (60_000, 60_000)])
def test_a_bomb_is_refused_by_its_header(width, height):
    with pytest.raises(Oversized):
        read_picture(png_header(width, height))


def test_a_picture_that_is_cut_off_is_refused():
    whole = file_of(symbol("ABC123").resize((900, 900)), "JPEG")
    with pytest.raises(FederationError):
        read_picture(whole[: len(whole) // 3])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP"])
def test_no_beginning_of_a_picture_ends_otherwise_than_in_our_errors(kind):
    whole = file_of(symbol("ABC123"), kind)
    for end in range(0, len(whole), max(1, len(whole) // 40)):
        with suppress(FederationError):
            look_at_picture(whole[:end])


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "I;16"])
def test_pixels_of_every_kind_are_read(mode):
    assert read_picture(file_of(symbol("ABC123").convert(mode)))[0].scan == "]d1ABC123"


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr"])
def test_what_printers_and_cameras_write_as_jpeg_is_read(mode):
    assert read_picture(file_of(symbol("ABC123").convert("RGB").convert(mode), "JPEG"))[0].scan == "]d1ABC123"


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_pictures_that_move_are_refused(kind):
    first, buffer = symbol("ABC123"), io.BytesIO()
    first.save(buffer, kind, save_all=True, append_images=[first.rotate(90), first.rotate(180)])
    with pytest.raises(InvalidInput, match="several pictures") as caught:
        look_at_picture(buffer.getvalue())
    assert caught.value.hint


@pytest.mark.parametrize(("width", "height"), [(limits.PICTURE_SIDE_MAX + 1, 3), (3, limits.PICTURE_SIDE_MAX + 1)])
def test_a_picture_like_a_thread_is_refused(width, height):
    with pytest.raises(Oversized, match="side") as caught:
        look_at_picture(png_header(width, height))
    assert caught.value.hint


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 900), (900, 1), (7, 7), (33, 9)])
def test_a_picture_too_small_for_a_symbol_has_none(width, height):
    assert look_at_picture(file_of(Image.new("L", (width, height), 90))) == Findings(readings=(), products=(), unread=())


def test_a_note_that_unpacks_to_gigabytes_is_refused():
    """A PNG may carry compressed text; it is not unpacked beyond what a note has."""
    text = b"zTXt", b"Comment\0\0" + zlib.compress(bytes(80_000_000))
    raw = file_of(symbol("ABC123"))
    with pytest.raises(InvalidInput):
        look_at_picture(raw[:33] + chunk(*text) + raw[33:])


def test_a_photo_taken_sideways_is_turned_upright():
    """The camera says so in the file; corners are those of what a person sees."""
    drawn, notes, buffer = symbol("ABC123"), Image.Exif(), io.BytesIO()
    sheet = Image.new("L", (300, 200), 255)
    sheet.paste(drawn, (200, 10))
    notes[0x0112] = 6  # a quarter turn clockwise
    sheet.save(buffer, "JPEG", exif=notes)
    (reading,) = read_picture(buffer.getvalue())

    assert all(100 < x < 200 and 190 < y < 300 for x, y in reading.corners)


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 400), value=st.integers(0, 255))
def test_a_damaged_picture_gives_readings_or_our_error(place, value):
    raw = bytearray(file_of(symbol("ABC123", scale=2)))
    raw[place % len(raw)] = value
    with suppress(FederationError):
        assert read_picture(bytes(raw))


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_header(width: int, height: int) -> bytes:
    """A PNG of that size with no pixels in it."""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) + chunk(b"IEND", b"")
