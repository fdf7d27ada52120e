"""`gsp scan`: from photos to the codes in them, and from there to the Parties that may know them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from federation import limits
from federation.errors import FederationError, InvalidInput
from federation.uim.scan import read_scan
from node.cli.exit_codes import ExitCode, exit_code
from node.cli.options import FILE, desk_options
from node.cli.output import Document, show
from node.cli.resolve import Found, found_document, found_lines, resolve_at_node, resolve_offline
from node.cli.scans import look_at_file
from node.cli.session import Surroundings, pass_surroundings
from node.formats.pictures import Findings, Product, Reading, Unread
from node.formats.places import Corners, frame

_SEPARATOR = "\x1d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """One file and what came of it.

    Attributes:
        failure: why it could not be looked at; then there are no findings.
    """

    path: Path
    findings: Findings
    failure: FederationError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a code that was read may be.

    Attributes:
        found: None when nobody was asked which Party may know it.
        failure: why the text is no code.
    """

    found: Found | None = None
    failure: FederationError | None = None


@click.command
@click.argument("photos", metavar="PHOTO...", nargs=-1, required=True, type=FILE)
@click.option(
    "--library",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of pattern files: says which Parties may know the codes, without a node.",
)
@desk_options
@pass_surroundings
def scan(
    surroundings: Surroundings, *, photos: tuple[Path, ...], library: Path | None, profile_folder: Path | None, as_json: bool
) -> int:
    """Read every symbol in photos: Data Matrix, QR, DotCode, Code 128, and what else is there. Nothing is asked yet.

    With an officer's profile or a folder of patterns it also says which Parties may know the codes.
    """
    if len(photos) > limits.PICTURES_PER_SCAN_MAX:
        raise InvalidInput(f"more than {limits.PICTURES_PER_SCAN_MAX} photos at once", hint="split the seizure")
    looked = [_look(path) for path in photos]
    scans = tuple(dict.fromkeys(reading.scan for photo in looked for reading in photo.findings.readings))
    meanings = _meanings(scans, surroundings, library, profile_folder)
    document = {"pictures": [_document(photo, meanings) for photo in looked]}
    show(document, _lines(looked, meanings), as_json=as_json)
    return _ending(looked)


def _look(path: Path) -> Photo:
    """One bad file among many does not take the others with it."""
    try:
        return Photo(path=path, findings=look_at_file(path))
    except FederationError as error:
        return Photo(path=path, findings=Findings(readings=(), products=(), unread=()), failure=error)


def _meanings(
    scans: Sequence[str], surroundings: Surroundings, library: Path | None, profile_folder: Path | None
) -> Mapping[str, Meaning]:
    """A QR with an address of a shop is read well and is no code; the others are resolved where there is something to do it with."""
    meanings, codes = {}, []
    for raw in scans:
        try:
            read_scan(raw)
        except FederationError as error:
            meanings[raw] = Meaning(failure=error)
        else:
            meanings[raw] = Meaning()
            codes.append(raw)
    found: Sequence[Found] = ()
    if codes and library is not None:
        found = resolve_offline(codes, library, now=surroundings.clock.now())
    elif codes and profile_folder is not None:
        for start in range(0, len(codes), limits.CODES_PER_QUERY_MAX):
            part = codes[start : start + limits.CODES_PER_QUERY_MAX]
            found = (*found, *asyncio.run(resolve_at_node(part, surroundings, profile_folder)))
    return {**meanings, **{raw: Meaning(found=one) for raw, one in zip(codes, found, strict=False)}}


def _ending(photos: Sequence[Photo]) -> ExitCode:
    """Fine when every photo gave a code; else the first reason why one did not."""
    for photo in photos:
        if photo.failure is not None:
            return exit_code(photo.failure)
        if not photo.findings.readings:
            return ExitCode.DATA
    return ExitCode.FINE


def _lines(photos: Sequence[Photo], meanings: Mapping[str, Meaning]) -> Iterator[str]:
    for number, photo in enumerate(photos):
        if number:
            yield ""
        yield f"Photo  {photo.path}"
        if photo.failure is not None:
            yield f"  {photo.failure.message}; {photo.failure.hint}"
        elif photo.findings == Findings(readings=(), products=(), unread=()):
            yield "  no code was found; take it closer, in focus and in even light"
        for reading in photo.findings.readings:
            yield f"  {reading.carrier}, {_where(reading.corners)}: {reading.scan.replace(_SEPARATOR, '<GS>')}"
            yield from (f"    {line}".rstrip() for line in _meaning_lines(meanings[reading.scan]))
        for product in photo.findings.products:
            yield f"  {product.kind}, {_where(product.corners)}: {product.text}"
            yield "    names a product and no single pack: nothing can be asked about it"
        for one in photo.findings.unread:
            yield f"  something that looks like {one.carrier}, {_where(one.corners)}, could not be read"


def _meaning_lines(meaning: Meaning) -> Iterator[str]:
    if meaning.failure is not None:
        yield f"is no code of a pack: {meaning.failure.message}"
    elif meaning.found is not None:
        yield from found_lines(meaning.found)


def _where(corners: Corners) -> str:
    left, top, right, bottom = frame(corners)
    return f"at {left},{top} to {right},{bottom}"


def _document(photo: Photo, meanings: Mapping[str, Meaning]) -> Document:
    if photo.failure is not None:
        error = photo.failure
        return {"file": str(photo.path), "error": {"code": error.code, "message": error.message, "hint": error.hint}}
    return {
        "file": str(photo.path),
        "readings": [_reading_document(one, meanings[one.scan]) for one in photo.findings.readings],
        "products": [_product_document(one) for one in photo.findings.products],
        "unread": [_unread_document(one) for one in photo.findings.unread],
    }


def _reading_document(reading: Reading, meaning: Meaning) -> Document:
    resolution = {} if meaning.found is None else {"resolution": found_document(meaning.found)}
    no_code = {} if meaning.failure is None else {"no_code": meaning.failure.message}
    return {"kind": reading.carrier, "scan": reading.scan, "corners": reading.corners, **resolution, **no_code}


def _product_document(product: Product) -> Document:
    return {"kind": product.kind, "text": product.text, "corners": product.corners}


def _unread_document(unread: Unread) -> Document:
    return {"kind": unread.carrier, "corners": unread.corners}
