"""Where `gsp directory` reads the log: at the own node's desk, or in a folder without the node. It is verified here either way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from federation import limits
from federation.boundary.directory import genesis_digest
from federation.errors import InvalidConfiguration, InvalidInput, Oversized
from federation.ports import Clock, Enrolment
from federation.trust.log_copy import LogCopy
from federation.wire.log_copy import decode_log_copy
from node.cli.options import json_option
from node.cli.profile import Profile
from node.cli.session import Surroundings, at_desk, check_window, named_profile
from node.config import read_node_settings, read_secretariat_settings
from node.rpc.registry import RegistryClient
from node.store.directory import read_copy
from node.store.enrolment import read_pending
from node.use_cases.verified_log import DirectoryView, verify_copy

CommandType = TypeVar("CommandType", bound=Callable[..., Any])

HOME: Final = click.Path(file_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A directory that was read and verified.

    Attributes:
        invited: Parties on their way into it, which the Secretariat's folder alone knows.
    """

    view: DirectoryView
    invited: tuple[Enrolment, ...] = ()


def source_options(command: CommandType) -> CommandType:
    """Where the directory is read."""
    officer = click.option(
        "--officer",
        "profile_folder",
        metavar="DIR",
        envvar="GSP_OFFICER",
        type=HOME,
        help="The officer's profile: ask the own node. Or set GSP_OFFICER.",
    )
    home = click.option(
        "--home", metavar="DIR", type=HOME, help="A node's folder, the Secretariat's too: read it without the node."
    )
    return officer(home(json_option(command)))


def read_source(surroundings: Surroundings, profile_folder: Path | None, home: Path | None) -> Source:
    """Read the directory where the options say, and verify it from its first entry.

    Raises:
        InvalidConfiguration: neither names a source that can be used.
        Unauthentic: what is there is not the directory that the folder's settings name, or was changed.
    """
    if home is not None:
        digest, enrolments = _known(home)
        view = verify_copy(read_copy(home / "directory.sqlite"), genesis_digest=digest)
        return Source(view=view, invited=read_pending(enrolments) if enrolments is not None else ())
    profile = named_profile(profile_folder)
    check_window(profile, surroundings.clock.now())
    copy = asyncio.run(_read_at_desk(profile, surroundings.clock))
    # The profile pins the own node, and the node knows its directory by a digest that its administrator typed.
    return Source(view=verify_copy(copy, genesis_digest=genesis_digest(copy.leaves[0])))


def _known(home: Path) -> tuple[bytes, Path | None]:
    """By what digest the folder knows its directory, and where its invitations are, if it is the Secretariat's."""
    if (home / "node.toml").exists():
        return bytes.fromhex(read_node_settings(home / "node.toml").genesis), None
    if (home / "secretariat.toml").exists():
        enrolments = home / "enrolment.sqlite"  # made when the Secretariat's node runs for the first time
        digest = bytes.fromhex(read_secretariat_settings(home / "secretariat.toml").genesis)
        return digest, enrolments if enrolments.exists() else None
    raise InvalidConfiguration(f"{home} holds no node", hint="name the folder of a Party's node or of the Secretariat's")


async def _read_at_desk(profile: Profile, clock: Clock) -> LogCopy:
    async with at_desk(RegistryClient, profile, clock) as client:
        return await client.copy()


def read_evidence(file: Path | None, home: Path | None) -> LogCopy:
    """A copy that is to be verified with nothing believed.

    Raises:
        InvalidInput: not exactly one source is named.
        Malformed: the file is no copy of a log.
    """
    if (file is None) == (home is None):
        raise InvalidInput("name one thing to verify: a file of `gsp directory export`, or a node's folder with --home")
    if home is not None:
        return read_copy(home / "directory.sqlite")
    assert file is not None  # one of them is named
    with file.open("rb") as opened:
        raw = opened.read(limits.DIRECTORY_BYTES_MAX + 1)
    if len(raw) > limits.DIRECTORY_BYTES_MAX:
        raise Oversized("the file is larger than any directory")
    return decode_log_copy(raw)
