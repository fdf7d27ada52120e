"""`gsp resolve`: from a code to the Parties that may know it, at the own node or, with a library, with no node at all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click

from federation.uim.library import Library
from federation.uim.scan import read_scan
from node.cli.documents import resolution_document
from node.cli.exit_codes import ExitCode
from node.cli.options import FILE, desk_options
from node.cli.output import show
from node.cli.scans import gather
from node.cli.session import Surroundings, pass_surroundings, session
from node.cli.words import resolution_lines
from node.formats.patterns import read_pattern_folder
from node.use_cases.desk_values import Membership, RankedParty, Resolution


@click.command
@click.argument("codes", metavar="[CODE]...", nargs=-1)
@click.option("--image", type=FILE, help="A photo with a Data Matrix, QR or Code 128 symbol.")
@click.option(
    "--library",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of pattern files: works without a node, and cannot say who is a Party.",
)
@desk_options
@pass_surroundings
def resolve(
    surroundings: Surroundings,
    *,
    codes: tuple[str, ...],
    image: Path | None,
    library: Path | None,
    profile_folder: Path | None,
    as_json: bool,
) -> int:
    """Find out which Parties may know a code, with the reasons. Nothing is asked yet."""
    scans = gather(codes, image)
    if library is not None:
        found = resolve_offline(scans, library, now=surroundings.clock.now())
    else:
        found = asyncio.run(_resolve_at_node(scans, surroundings, profile_folder))
    return show_resolutions(found, as_json=as_json)


async def _resolve_at_node(
    scans: Sequence[str], surroundings: Surroundings, profile_folder: Path | None
) -> tuple[Resolution, ...]:
    async with session(surroundings, profile_folder) as officer:
        return await officer.desk.resolve(scans)


def resolve_offline(scans: Sequence[str], folder: Path, *, now: float) -> tuple[Resolution, ...]:
    """Resolve with the pattern files of a folder.

    Raises:
        InvalidConfiguration: a file is not in order.
    """
    library = Library.build(read_pattern_folder(folder))
    resolutions = []
    for raw in scans:
        scan = read_scan(raw)
        parties = tuple(
            RankedParty(candidate=one, membership=Membership.UNKNOWN, party_name="", responder=None, responder_name="")
            for one in library.resolve(scan, now=now)
        )
        resolutions.append(Resolution(scan=scan, parties=parties))
    return tuple(resolutions)


def show_resolutions(resolutions: Sequence[Resolution], *, as_json: bool) -> int:
    """Print them; not found when no pattern knows one of the codes."""
    lines: list[str] = []
    for resolution in resolutions:
        lines += ["", *resolution_lines(resolution)] if lines else resolution_lines(resolution)
    show({"resolutions": [resolution_document(resolution) for resolution in resolutions]}, lines, as_json=as_json)
    return ExitCode.FINE if all(resolution.parties for resolution in resolutions) else ExitCode.NOT_FOUND
