"""`gsp doctor --home`: looks at a node's folder without the node, for when the node does not start or nobody can reach the desk."""

from __future__ import annotations

import asyncio
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from federation.errors import Conflict, FederationError, InvalidConfiguration, NotFound
from node.config import NodeSettings
from node.formats.particulars import own_particulars
from node.ground import read_own_policy, read_settings
from node.joining import read_sets
from node.returning import Mark, old_copies_in
from node.store.directory import SqliteDirectory
from node.store.exchange import survey_keys
from node.store.journal_check import survey_journal
from node.use_cases.desk_values import Check, Health
from node.use_cases.diagnosis import DISK_FREE_BYTES_MIN, old_copies, put_back
from node.use_cases.directory_checks import directory_checks
from node.use_cases.registry import Registry
from node.use_cases.world import World

CONNECT_S = 3.0


async def examine(home: Path, world: World) -> tuple[Check, ...]:
    """Everything that can be seen from outside the node, in the order in which it has to be right."""
    checks = [_settings(home)]
    if checks[0].health is Health.BAD:
        return tuple(checks)
    settings = read_settings(home)
    checks += [_keystore(home / "keystore"), _disk(home), *await _directory(home, settings, world)]
    checks += [
        *_put_back(home),
        *_sealing_keys(home / "exchange.sqlite", world),
        *_journal(home / "exchange.sqlite"),
        *old_copies(old_copies_in(home, now=world.now())),
    ]
    checks += [await _answers("Secretariat", settings.secretariat), await _answers("own desk", settings.desk)]
    return tuple(checks)


def _settings(home: Path) -> Check:
    def look() -> str:
        settings = read_settings(home)
        own_particulars(home, settings, read_sets(home, settings))
        read_own_policy(home, settings)
        return f"node.toml, patterns, profile and policy of {settings.party} can be read"

    return _tried("settings", look)


def _keystore(path: Path) -> Check:
    name = "keystore"
    if not path.exists():
        hint = "restore it from its backup, or join again in an empty folder"
        return Check(name=name, health=Health.BAD, words=f"{path} is missing", hint=hint)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        hint = f"run `chmod 600 {path}`, and change the passphrase if somebody may have copied it"
        return Check(name=name, health=Health.BAD, words=f"others can read {path}", hint=hint)
    return Check(name=name, health=Health.GOOD, words="there, and nobody else can read it")


def _disk(home: Path) -> Check:
    free = shutil.disk_usage(home).free
    words = f"{free // 1_048_576} MiB free"
    if free < DISK_FREE_BYTES_MIN:
        return Check(name="disk", health=Health.BAD, words=words, hint="make room: without it nothing is receipted")
    return Check(name="disk", health=Health.GOOD, words=words)


async def _directory(home: Path, settings: NodeSettings, world: World) -> tuple[Check, ...]:
    """The replica on disk, verified from its first entry; a node that runs holds its files and has verified them itself."""
    name = "directory"
    try:
        async with SqliteDirectory.open(home / "directory.sqlite") as store:
            registry = await Registry.load(store, bytes.fromhex(settings.genesis), world.clock)
    except Conflict:
        return (Check(name=name, health=Health.GOOD, words="in use: the node is running"),)
    except FederationError as error:
        return (Check(name=name, health=Health.BAD, words=error.message, hint=error.hint),)
    words = f"{registry.roster.size} entries, verified from the first one; the node is not running"
    stopped = Check(name=name, health=Health.WARNING, words=words, hint=f"start it: gsp party run --home {home}")
    says = own_particulars(home, settings, read_sets(home, settings))
    return stopped, *directory_checks(registry.replica, settings.party_id, says, now=world.clock.now())


def _put_back(home: Path) -> Iterator[Check]:
    """Only of a node that was put back from a backup."""
    try:
        returned = Mark.in_home(home).returned
    except FederationError as error:
        yield Check(name="restored", health=Health.BAD, words=error.message, hint=error.hint)
        return
    if returned is not None:
        yield put_back(returned)


def _sealing_keys(path: Path, world: World) -> Iterator[Check]:
    """Private halves that should be gone, as far as that can be seen without the storage key."""
    if not path.exists():
        return
    name = "sealing keys"
    try:
        survey = survey_keys(path, now=world.now())
    except FederationError as error:
        yield Check(name=name, health=Health.BAD, words=error.message, hint=error.hint)
        return
    if survey is None:
        words = "the store is of the first version; starting the node copies and upgrades it"
        yield Check(name=name, health=Health.GOOD, words=words)
        return
    words = f"{survey.epochs} epochs; {survey.overdue} keys past their end"
    if survey.stray:
        hint = "the store was changed by another program: put back the newest backup, or tell the developers"
        yield Check(name=name, health=Health.BAD, words=f"{words}; {survey.stray} keys or epochs without each other", hint=hint)
    elif survey.overdue:
        hint = "start the node: it destroys them at once"
        yield Check(name=name, health=Health.WARNING, words=words, hint=hint)
    else:
        yield Check(name=name, health=Health.GOOD, words=words)


def _journal(path: Path) -> Iterator[Check]:
    """The own journal, held against its own rows."""
    name = "own journal"
    try:
        survey = survey_journal(path)
    except NotFound:
        return  # the node has never run
    except InvalidConfiguration:
        return  # it is of an older version, as is told above
    except FederationError as error:
        yield Check(name=name, health=Health.BAD, words=error.message, hint=error.hint)
        return
    words = f"{survey.records} records"
    if survey.problems:
        hint = "somebody changed the file: find out who, and tell the peers; their receipts show what stood there"
        yield Check(name=name, health=Health.BAD, words=f"{words}; {'; '.join(survey.problems)}", hint=hint)
    else:
        yield Check(name=name, health=Health.GOOD, words=f"{words}, and the tree over them holds")


async def _answers(name: str, address: str) -> Check:
    """Whether anybody listens there at all; who it is, the node finds out by certificates."""
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, TimeoutError):
        hint = f"nothing listens at {address}: is it running, and does a firewall stand between?"
        return Check(name=name, health=Health.WARNING, words=f"{address} does not answer", hint=hint)
    writer.close()
    return Check(name=name, health=Health.GOOD, words=f"{address} answers")


def _tried(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name=name, health=Health.GOOD, words=look())
    except FederationError as error:
        return Check(name=name, health=Health.BAD, words=error.message, hint=error.hint)
