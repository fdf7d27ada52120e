"""`gsp library`: all Parties' patterns at the own node: what there is, what contradicts what, and one file that anybody can check."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from federation.boundary.directory import genesis_digest
from federation.boundary.library import CheckedLibrary, check_library
from federation.errors import Conflict, InvalidInput
from federation.uim.overlap import Overlap, conflicts
from federation.uim.pattern import PatternSet
from federation.wire.library import LibraryFile, encode_library_file
from federation.wire.patterns import decode_pattern_set
from node.cli.directory_source import HOME, read_source
from node.cli.exit_codes import ExitCode
from node.cli.options import FILE, Hexadecimal, desk_options, json_option
from node.cli.output import Document, columns, show
from node.cli.pattern import overlap_document, overlap_words
from node.cli.pattern_sources import read_library
from node.cli.session import Surroundings, pass_surroundings, session
from node.cli.words import SET_STATES
from node.rpc.library import LibraryClient
from node.rpc.registry import log_copy
from node.use_cases.pattern_sets import LibraryRow


@click.group
def library() -> None:
    """Look at all Parties' patterns, export them with their proof, and check such a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    rows: tuple[LibraryRow, ...]
    sets: tuple[PatternSet, ...]
    conflicts: tuple[Overlap, ...]


@library.command
@desk_options
@pass_surroundings
def status(surroundings: Surroundings, *, profile_folder: Path | None, as_json: bool) -> int:
    """Show which version of each Party's patterns is in use, what is missing or wrong, and which claims contradict each other."""
    view = asyncio.run(_status(surroundings, profile_folder))
    document = {
        "parties": [_row_document(row, view.sets) for row in view.rows],
        "conflicts": [overlap_document(one) for one in view.conflicts],
    }
    show(document, [*columns(list(_table(view))), *_problems(view.rows), *_conflict_lines(view.conflicts)], as_json=as_json)
    return ExitCode.WARNING if any(row.problem for row in view.rows) or view.conflicts else ExitCode.FINE


async def _status(surroundings: Surroundings, profile_folder: Path | None) -> _View:
    async with session(surroundings, profile_folder) as officer:
        rows = await LibraryClient(officer.desk).rows()
        encoded = [await LibraryClient(officer.desk).encoded(row.digest) for row in rows if row.digest]
    sets = tuple(decode_pattern_set(one) for one in encoded)
    return _View(rows=rows, sets=sets, conflicts=conflicts(sets))


def _table(view: _View) -> Iterator[tuple[str, ...]]:
    yield ("party", "version", "patterns", "levels", "products", "state")
    there = {one.party: one for one in view.sets}
    for row in view.rows:
        own = there.get(row.party)
        yield (row.party, str(row.version or ""), str(row.patterns or ""), *_coverage(own), SET_STATES[row.state])


def _coverage(own: PatternSet | None) -> tuple[str, str]:
    """Which levels and how many product classes a set speaks of."""
    if own is None:
        return "", ""
    levels = sorted({pattern.level or "any" for pattern in own.patterns})
    classes = {one for pattern in own.patterns for one in pattern.product_classes}
    everything = any(not pattern.product_classes for pattern in own.patterns)
    return ",".join(levels), "all" if everything else ",".join(sorted(classes))


def _coverage_document(own: PatternSet | None) -> Document:
    levels, classes = _coverage(own)
    return {"levels": levels.split(",") if levels else [], "product_classes": classes.split(",") if classes else []}


def _problems(rows: Sequence[LibraryRow]) -> Iterator[str]:
    yield from (f"{row.party}: version {row.pinned_version} is not in use: {row.problem}" for row in rows if row.problem)


def _conflict_lines(found: Sequence[Overlap]) -> Iterator[str]:
    yield from (f"conflict: {overlap_words(one)}" for one in found)


def _row_document(row: LibraryRow, sets: Sequence[PatternSet]) -> dict[str, Any]:
    own = next((one for one in sets if one.party == row.party), None)
    return {
        "party": row.party,
        "state": row.state,
        "version": row.version or None,
        "digest": row.digest.hex() or None,
        "pinned_version": row.pinned_version or None,
        "pinned_digest": row.pinned_digest.hex() or None,
        "patterns": row.patterns,
        **_coverage_document(own),
        "source": row.source or None,
        "problem": row.problem or None,
    }


@library.command
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="A new file.")
@desk_options
@pass_surroundings
def export(surroundings: Surroundings, *, output: Path, profile_folder: Path | None, as_json: bool) -> int:
    """Write all sets that the directory pins and this node has into one file, with the log that proves them."""
    file = asyncio.run(_export(surroundings, profile_folder))
    raw = encode_library_file(file)
    _write(output, raw)
    document = {"file": str(output), "bytes": len(raw), "entries": len(file.leaves), "sets": len(file.sets)}
    lines = [f"{output}: {len(file.sets)} sets and {len(file.leaves)} directory entries, {len(raw)} bytes"]
    show(document, lines, as_json=as_json)
    return ExitCode.FINE


async def _export(surroundings: Surroundings, profile_folder: Path | None) -> LibraryFile:
    async with session(surroundings, profile_folder) as officer:
        sets = [
            await LibraryClient(officer.desk).encoded(row.digest)
            for row in await LibraryClient(officer.desk).rows()
            if row.digest and row.digest == row.pinned_digest
        ]
        log = await log_copy(officer.desk)
    return LibraryFile(leaves=log.leaves, checkpoint=log.checkpoint, sets=tuple(sets))


def _write(path: Path, raw: bytes) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as file:
            file.write(raw)
    except FileExistsError:
        raise Conflict(f"{path} is there already", hint="name another file") from None
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}") from error


@library.command
@click.argument("file", type=FILE)
@click.option("--log-key", type=Hexadecimal(), help="The key of the directory's log, as the Secretariat publishes it.")
@click.option("--genesis", type=Hexadecimal(), help="The digest of the directory's first entry.")
@click.option(
    "--home", type=HOME, help="Take both from a node's own folder; in the Secretariat's this shows coverage and conflicts."
)
@json_option
@pass_surroundings
def verify(
    surroundings: Surroundings, *, file: Path, log_key: bytes | None, genesis: bytes | None, home: Path | None, as_json: bool
) -> int:
    """Check a library file, with no node and no network: every set is the one that its Party entered into the directory. Coverage and
    conflicts of what Parties publish are shown beside it.
    """
    if home is not None:
        view = read_source(surroundings, None, home).view
        log_key, genesis = view.log_key, genesis_digest(view.leaves[0])
    if log_key is None or genesis is None:
        raise InvalidInput(
            "say what the file is held against", hint="give --log-key and --genesis, or the folder of a node: --home"
        )
    checked = check_library(read_library(file), genesis_digest=genesis, log_key=log_key)
    sets = tuple(one.pattern_set for one in checked.pinned if one.pattern_set is not None)
    found = conflicts(sets)
    show(_checked_document(checked, found), [*_checked_lines(checked), *_conflict_lines(found)], as_json=as_json)
    return ExitCode.WARNING if found or any(one.problem for one in checked.pinned) else ExitCode.FINE


def _checked_lines(checked: CheckedLibrary) -> Iterator[str]:
    yield f"The library holds. It stands on the directory of {checked.roster.genesis.domain} with {checked.size} entries."
    for one in checked.pinned:
        levels, classes = _coverage(one.pattern_set)
        shown = (
            one.problem if one.pattern_set is None else f"{len(one.pattern_set.patterns)} patterns: {levels}; products: {classes}"
        )
        yield f"{one.party}  version {one.version}  {shown}"


def _checked_document(checked: CheckedLibrary, found: Sequence[Overlap]) -> Document:
    return {
        "holds": True,
        "domain": checked.roster.genesis.domain,
        "directory_size": checked.size,
        "parties": [
            {
                "party": one.party,
                "version": one.version,
                "digest": one.digest.hex(),
                "patterns": len(one.pattern_set.patterns) if one.pattern_set is not None else 0,
                **_coverage_document(one.pattern_set),
                "problem": one.problem or None,
            }
            for one in checked.pinned
        ],
        "conflicts": [overlap_document(one) for one in found],
    }
