"""Where pattern sets come from on the command line: files and folders of TOML, and library files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from federation import limits
from federation.errors import InvalidConfiguration, InvalidInput, NotFound, Oversized
from federation.identity import PartyId
from federation.uim import bounds
from federation.uim.pattern import PatternSet
from federation.wire.library import decode_library_file
from federation.wire.patterns import decode_pattern_set
from node.formats.patterns import read_own_set, read_pattern_folder
from node.resources import patterns_folder

SOURCE = click.Path(exists=True, path_type=Path)

against_option = click.option(
    "--against",
    multiple=True,
    type=SOURCE,
    help="A folder or file of pattern sets, or a file of gsp library export, which is believed as it is; once for each. Without it: the"
    " published sets that come with the program.",
)


def read_sources(paths: Iterable[Path]) -> tuple[PatternSet, ...]:
    """All sets, one for each Party: a later source takes the place of an earlier one.

    Raises:
        InvalidConfiguration, Malformed: a file is not in order.
    """
    sets: dict[PartyId, PatternSet] = {}
    for path in tuple(paths) or (patterns_folder(),):
        for one in _sets_in(path):
            sets[one.party] = one
    return tuple(sets.values())


def _sets_in(path: Path) -> tuple[PatternSet, ...]:
    if path.is_dir():
        return tuple(read_pattern_folder(path))
    if path.suffix == ".toml":
        return (read_own_set(path),)
    # Not held against the directory here: to know which claims collide, it does not matter who made them.
    return tuple(decode_pattern_set(encoded) for encoded in decode_library_file(read_library(path)).sets)


def read_library(path: Path) -> bytes:
    """The bytes of a library file.

    Raises:
        NotFound: it cannot be read.
        Oversized: it is no library.
    """
    try:
        with path.open("rb") as opened:
            raw = opened.read(limits.LIBRARY_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}") from error
    if len(raw) > limits.LIBRARY_FILE_BYTES_MAX:
        raise Oversized("the file is larger than any library")
    return raw


def read_codes(path: Path) -> tuple[str, ...]:
    """One code a line, as scanned or typed; empty lines are passed over.

    Raises:
        InvalidConfiguration: it cannot be read.
        InvalidInput: too many codes.
    """
    bytes_max = bounds.DRAFT_CODES_MAX * (limits.SCAN_CHARACTERS_MAX + 1)
    try:
        with path.open("rb") as file:
            raw = file.read(bytes_max + 1)
        lines = raw.decode().split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidConfiguration(f"{path} cannot be read: {error}") from None
    codes = tuple(line.rstrip("\r") for line in lines if line.strip())
    if len(raw) > bytes_max or len(codes) > bounds.DRAFT_CODES_MAX:
        raise InvalidInput(f"{path.name} has more than {bounds.DRAFT_CODES_MAX} codes", hint="take a sample of them")
    return codes
