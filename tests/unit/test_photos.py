"""Photos made from fixed seeds: so many must be read, and not one wrongly."""

from __future__ import annotations

import math

import pytest
from PIL import Image, ImageFilter

from benchmarks.photos import reading
from federation.uim.codes import Carrier
from node.formats.light import evened
from node.formats.pictures import ProductCode, look_at_picture
from node.formats.stripes import slants, turned, turned_back
from tests.support.checkout import ROOT
from tests.support.photos import BOARD, DAMAGES, INK, marking, photo, scene, spoilt
from tests.support.symbols import file_of

UNIT = "LEAT1xK7mP2qRA1bZ9c19052014"
SOME = ("turned", "tilted", "shadow", "a little of all", "much of all")
PACKS = (ROOT / "config" / "photos" / "packs.jpg").read_bytes()


@pytest.mark.parametrize("carrier", [Carrier.DOTCODE, Carrier.DATA_MATRIX, Carrier.QR, Carrier.CODE_128], ids=str)
def test_photos_of_some_care_are_read_and_none_is_read_wrongly(carrier):
    """One photo of small print for each damage; the hardest is too much for some kinds, and may not be read wrongly either."""
    figures = list(reading(carrier, 1, 5, (2.0 if carrier is Carrier.CODE_128 else 3.0,), SOME))

    assert sum(figure["wrong"] for figure in figures) == 0
    assert sum(figure["read"] for figure in figures) >= len(SOME) - 2


def test_every_symbol_of_a_photo_is_told_with_its_place():
    findings = look_at_picture(PACKS)
    found = {one.carrier: one for one in findings.readings}

    assert {one.scan for one in findings.readings} == {
        f"]J0{UNIT}",
        "]d1QTABCDEFGHIJKL",
        "]Q1https://shop.example/visit",
        "]C0QN1234567890",
    }
    assert [(one.kind, one.text) for one in findings.products] == [(ProductCode.EAN_13, "4012345678901")]
    assert [one.carrier for one in findings.unread] == [Carrier.DOTCODE]
    for carrier, place in {Carrier.DOTCODE: (125, 107), Carrier.QR: (481, 138), Carrier.CODE_128: (341, 746)}.items():
        assert math.dist(middle(found[carrier].corners), place) < 12
    assert math.dist(middle(findings.unread[0].corners), (615, 338)) < 12


@pytest.mark.parametrize("carrier", [Carrier.DOTCODE, Carrier.DATA_MATRIX, Carrier.QR])
def test_a_symbol_that_is_spoilt_is_told(carrier):
    symbol, _ = marking(UNIT, carrier)
    findings = look_at_picture(file_of(scene([spoilt(symbol)], 500, [7], 6)))

    assert findings.readings == ()
    assert [one.carrier for one in findings.unread] == [carrier]


def test_two_symbols_with_one_text_are_one_reading():
    symbol, scan = marking("QTABCDEFGHIJKL", Carrier.DATA_MATRIX)
    findings = look_at_picture(file_of(scene([symbol, symbol], 500, [7, 40], 4)))

    assert [one.scan for one in findings.readings] == [scan]
    assert findings.unread == ()


def test_a_photo_from_a_seed_is_the_same_photo():
    symbol, _ = marking(UNIT, Carrier.QR)

    assert photo(symbol, UNIT, DAMAGES["much of all"], 3, seed=8) == photo(symbol, UNIT, DAMAGES["much of all"], 3, seed=8)


# --- bars that lie askew ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("degrees", [15, 37, 52, 80, 110, 155])
def test_the_slant_of_bars_is_found(degrees):
    symbol, _ = marking("QN1234567890", Carrier.CODE_128)
    first, *_ = slants(scene([symbol], 900, [degrees], 4))

    assert min(abs(first + degrees - right) for right in (90, 180)) < 2.5


def test_what_stands_upright_and_what_has_no_bars_needs_no_turn():
    symbol, _ = marking("QN1234567890", Carrier.CODE_128)

    assert slants(scene([symbol], 900, [0], 4)) == ()
    assert slants(Image.new("L", (300, 300), 200)) == ()
    assert slants(Image.effect_noise((300, 300), 40)) == ()
    assert slants(Image.new("L", (20, 2_000), 200)) == ()


@pytest.mark.parametrize("degrees", [10.0, 45.0, 71.5])
def test_a_place_in_a_turned_picture_is_found_in_the_picture(degrees):
    picture = Image.new("L", (300, 200), 255)
    picture.paste(0, (220, 30, 230, 40))
    upright = turned(picture, degrees)
    left, top, right, bottom = upright.point(lambda shade: 255 - shade).getbbox()
    ((x, y),) = turned_back((((left + right) // 2, (top + bottom) // 2),), degrees, upright.size, picture.size)

    assert math.dist((x, y), (225, 35)) < 2.5


# --- light -----------------------------------------------------------------------------------------------------------


def test_a_shadow_is_taken_away():
    symbol, _ = marking("QN1234567890", Carrier.CODE_128)
    flat = scene([symbol], 900, [0], 4)
    slope = Image.linear_gradient("L").rotate(90).resize(flat.size).point(lambda shade: 90 + shade * 165 // 255)
    dark = Image.composite(flat, Image.new("L", flat.size, 0), slope)
    even = evened(dark).filter(ImageFilter.BoxBlur(1))

    assert min(dark.crop((0, 0, 30, 30)).getextrema()) > INK
    corners = [even.getpixel(place) for place in ((5, 5), (even.width - 6, 5), (5, even.height - 6))]
    assert min(corners) > BOARD


def test_a_picture_of_a_few_pixels_has_no_light_to_even():
    tiny = Image.new("L", (7, 400), 90)

    assert evened(tiny) is tiny


def middle(corners):
    return sum(x for x, _ in corners) / 4, sum(y for _, y in corners) / 4
