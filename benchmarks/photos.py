"""`python -m benchmarks.photos`: how many generated photos are read, at stated sizes and damages; wrong readings are counted apart.

A module is a row or a column of a symbol, or the narrowest bar. "Wrong" is any scan that the photo does not show.
"""

from __future__ import annotations

import argparse
import json
import random
import string
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from shutil import which
from typing import Any, Final

from federation.uim.codes import Carrier
from node.formats.pictures import look_at_picture
from tests.support.photos import DAMAGES, marking, photo

PIXELS: Final = (2.0, 3.0, 4.0, 6.0)
CARRIERS: Final = (*((Carrier.DOTCODE,) if which("zint") else ()), Carrier.DATA_MATRIX, Carrier.QR, Carrier.CODE_128)
"""DotCode is drawn by a program that has to be installed."""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=10, help="for each kind, size and damage")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", action="append", choices=[str(carrier) for carrier in CARRIERS], help="only this one")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    carriers = [carrier for carrier in CARRIERS if not arguments.kind or carrier in arguments.kind]
    figures = [figure for carrier in carriers for figure in reading(carrier, arguments.photos, arguments.seed)]
    if arguments.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        for carrier in carriers:
            show(carrier, [figure for figure in figures if figure["kind"] == carrier], arguments.photos)
    return 0


def reading(
    carrier: Carrier, photos: int, seed: int, sizes: Sequence[float] = PIXELS, damages: Sequence[str] = tuple(DAMAGES)
) -> Iterator[dict[str, Any]]:
    """One figure for each damage and size."""
    for damage_name in damages:
        for pixels in sizes:
            counts: Counter[str] = Counter()
            seconds = 0.0
            for number in range(photos):
                chance = random.Random(f"{seed} {carrier} {damage_name} {pixels} {number}")
                text = f"LE{''.join(chance.choices(string.ascii_letters + string.digits, k=17))}26112513"
                symbol, scan = marking(text, carrier)
                raw = photo(symbol, text, DAMAGES[damage_name], pixels, chance.randrange(2**32))
                start = time.process_time()
                found = look_at_picture(raw)
                seconds += time.process_time() - start
                read = {one.scan for one in found.readings}
                counts["read"] += scan in read
                counts["wrong"] += bool(read - {scan} or found.products)
                counts["seen"] += scan not in read and bool(found.unread)
            yield {"kind": carrier, "damage": damage_name, "pixels": pixels, "photos": photos, **counts, "seconds": seconds}


def show(carrier: Carrier, figures: list[dict[str, Any]], photos: int) -> None:
    """Rows of damages, columns of sizes."""
    write = sys.stdout.write
    write(f"\n{carrier}: read of {photos}, by pixels a module\n")
    write(f"  {'':<18}" + "".join(f"{pixels:>6g}" for pixels in PIXELS) + "\n")
    for damage in DAMAGES:
        row = [figure["read"] for figure in figures if figure["damage"] == damage]
        write(f"  {damage:<18}" + "".join(f"{read:>6}" for read in row) + "\n")
    total = summary(figures)
    missed = total["photos"] - total["read"]
    write(f"  read {total['read']} of {total['photos']}; not read {missed}, of which seen as unreadable {total['seen']}; ")
    write(f"wrong {total['wrong']}; {total['ms']:.0f} ms of a processor for each\n")


def summary(figures: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """All sizes and damages of one kind together; the time is the processor's, for one photo."""
    counts = {name: sum(figure.get(name, 0) for figure in figures) for name in ("photos", "read", "wrong", "seen")}
    return counts | {"ms": sum(figure["seconds"] for figure in figures) / counts["photos"] * 1e3}


if __name__ == "__main__":
    raise SystemExit(main())
