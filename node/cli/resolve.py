"""`gsp resolve`: from a code to the Parties that may know it, at the own node or, with a library, with no node at all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from federation.uim.clues import NO_CLUES, Clues
from federation.uim.confusable import Suggestion, suggest
from federation.uim.library import Library
from federation.uim.scan import read_scan
from node.cli.documents import resolution_document, suggestion_document
from node.cli.exit_codes import ExitCode
from node.cli.options import FILE, Sentence, desk_options
from node.cli.output import Document, show
from node.cli.scans import gather
from node.cli.session import Surroundings, pass_surroundings, session
from node.cli.words import resolution_lines, suggestion_lines
from node.formats.patterns import read_pattern_folder
from node.rpc.library import LibraryClient
from node.use_cases.desk_values import Membership, RankedParty, Resolution


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What there is to say of one code.

    Attributes:
        suggestions: similar codes; None when nobody asked for them.
    """

    resolution: Resolution
    suggestions: tuple[Suggestion, ...] | None = None


@click.command
@click.argument("codes", metavar="[CODE]...", nargs=-1)
@click.option("--image", type=FILE, help="A photo with a Data Matrix, QR, DotCode or Code 128 symbol.")
@click.option(
    "--library",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of pattern files: works without a node, and cannot say who is a Party.",
)
@click.option(
    "--suggest", "wants_suggestions", is_flag=True, help="For typed codes that no pattern knows: similar ones that fit."
)
@click.option("--brand", default="", type=Sentence(), help="The brand on the pack: ranks Parties that cannot be told apart.")
@click.option("--language", default="", help="Of the health warning, such as es (ISO 639-1): ranks in the same way.")
@click.option("--place", default="", help="The country where it was found, such as at (ISO 3166-1): ranks in the same way.")
@desk_options
@pass_surroundings
def resolve(
    surroundings: Surroundings,
    *,
    codes: tuple[str, ...],
    image: Path | None,
    library: Path | None,
    wants_suggestions: bool,
    brand: str,
    language: str,
    place: str,
    profile_folder: Path | None,
    as_json: bool,
) -> int:
    """Find out which Parties may know a code, with the reasons. Nothing is asked yet."""
    scans, clues = gather(codes, image), Clues(brand=brand, language=language, place=place)
    if library is not None:
        found = resolve_offline(scans, library, now=surroundings.clock.now(), clues=clues, wants_suggestions=wants_suggestions)
    else:
        found = asyncio.run(
            resolve_at_node(scans, surroundings, profile_folder, clues=clues, wants_suggestions=wants_suggestions)
        )
    return show_resolutions(found, as_json=as_json)


async def resolve_at_node(
    scans: Sequence[str],
    surroundings: Surroundings,
    profile_folder: Path | None,
    *,
    clues: Clues = NO_CLUES,
    wants_suggestions: bool = False,
) -> tuple[Found, ...]:
    """Resolve at the desk of the officer's node.

    Raises:
        FederationError: as the desk says.
    """
    async with session(surroundings, profile_folder) as officer:
        resolutions = await officer.desk.resolve(scans, clues)
        if not wants_suggestions:
            return tuple(Found(resolution=one) for one in resolutions)
        known = LibraryClient(officer.desk)
        return tuple(
            [Found(resolution=one, suggestions=() if one.parties else await known.suggest(one.scan.raw)) for one in resolutions]
        )


def resolve_offline(
    scans: Sequence[str], folder: Path, *, now: float, clues: Clues = NO_CLUES, wants_suggestions: bool = False
) -> tuple[Found, ...]:
    """Resolve with the pattern files of a folder.

    Raises:
        InvalidConfiguration: a file is not in order.
    """
    library = Library.build(read_pattern_folder(folder))
    found = []
    for raw in scans:
        scan = read_scan(raw)
        parties = tuple(
            RankedParty(candidate=one, membership=Membership.UNKNOWN, party_name="", responder=None, responder_name="")
            for one in library.resolve(scan, now=now, clues=clues)
        )
        similar = suggest(library, raw) if wants_suggestions and not parties else ()
        resolution = Resolution(scan=scan, parties=parties)
        found.append(Found(resolution=resolution, suggestions=similar if wants_suggestions else None))
    return tuple(found)


def show_resolutions(found: Sequence[Found], *, as_json: bool) -> int:
    """Print them; not found when no pattern knows one of the codes."""
    lines: list[str] = []
    for one in found:
        lines += ["", *found_lines(one)] if lines else found_lines(one)
    show({"resolutions": [found_document(one) for one in found]}, lines, as_json=as_json)
    return ExitCode.FINE if all(one.resolution.parties for one in found) else ExitCode.NOT_FOUND


def found_lines(found: Found) -> list[str]:
    """One code, for people."""
    lines = list(resolution_lines(found.resolution))
    if found.suggestions is not None and not found.resolution.parties:
        lines += suggestion_lines(found.suggestions)
    return lines


def found_document(found: Found) -> Document:
    """One code, for programs."""
    similar = {} if found.suggestions is None else {"suggestions": [suggestion_document(one) for one in found.suggestions]}
    return {**resolution_document(found.resolution), **similar}
