"""Photos made from fixed seeds: so many must be read, and not one wrongly."""

from __future__ import annotations

import io
from collections import Counter

import pytest
from PIL import Image

from benchmarks.photos import reading
from federation.uim.codes import Carrier
from node.formats.pictures import look_at_picture
from tests.support.photos import DAMAGES, marking, photo

UNIT = "LEAT1xK7mP2qRA1bZ9c19052014"
SEEN = [(Carrier.DOTCODE, 4.0), (Carrier.DATA_MATRIX, 4.0), (Carrier.QR, 4.0), (Carrier.CODE_128, 3.0)]
HARMLESS = ["none", "turned", "tilted", "shadow", "a little of all"]


@pytest.mark.parametrize("carrier", [carrier for carrier, _ in SEEN], ids=str)
def test_what_is_read_of_a_fixed_set_is_right(carrier):
    """One photo for each size and damage: 45 of each kind."""
    total: Counter[str] = Counter()
    for figure in reading(carrier, photos=1, seed=5):
        total.update({name: figure.get(name, 0) for name in ("read", "wrong")})

    assert total["wrong"] == 0
    assert total["read"] >= MINIMUM[carrier]


@pytest.mark.parametrize("damage", HARMLESS)
@pytest.mark.parametrize(("carrier", "pixels"), SEEN, ids=str)
def test_what_a_photo_of_care_has_is_read(carrier, pixels, damage):
    symbol, scan = marking(UNIT, carrier)
    findings = look_at_picture(photo(symbol, UNIT, DAMAGES[damage], pixels, seed=3))

    assert [reading.scan for reading in findings.readings] == [scan]
    assert findings.readings[0].carrier == carrier


def test_several_kinds_in_one_photo_are_read_and_found_where_they_are():
    sheet = Image.new("L", (1_500, 1_100), 215)
    places = {}
    for number, carrier in enumerate(carrier for carrier, _ in SEEN):
        symbol, scan = marking(UNIT, carrier)
        turned = symbol.reduce(3).rotate(11, expand=True, fillcolor=215)
        corner = (40 + 500 * (number % 2), 40 + 550 * (number // 2))
        sheet.paste(turned, corner)
        places[scan] = (corner, turned.size)
    found = {reading.scan: reading.corners for reading in look_at_picture(_png(sheet)).readings}

    assert set(found) == set(places)
    for scan, ((left, top), (width, height)) in places.items():
        for x, y in found[scan]:
            assert left - 5 <= x <= left + width + 5
            assert top - 5 <= y <= top + height + 5


@pytest.mark.parametrize("carrier", [Carrier.DOTCODE, Carrier.DATA_MATRIX])
def test_a_symbol_that_is_spoilt_is_told_with_its_place(carrier):
    symbol, _ = marking(UNIT, carrier)
    spoilt = symbol.reduce(2)
    for row in range(8):
        spoilt.paste(255, (60 + 9 * row, 60 + 15 * (row % 3), 100 + 9 * row, 100 + 15 * (row % 3)))
    findings = look_at_picture(_png(spoilt))

    assert findings.readings == ()
    assert [one.carrier for one in findings.unread] == [carrier]


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


MINIMUM = {Carrier.DOTCODE: 30, Carrier.DATA_MATRIX: 25, Carrier.QR: 25, Carrier.CODE_128: 20}
"""Of 45; a reader that gets worse is seen."""
