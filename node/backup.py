"""Backing a home up while its node runs, and putting it back (docs/operating.md, "Backup").

Left out are the private halves of prekeys and reply keys with the keys of their epochs: a backup that lies in a safe must not open
what was to be forgotten. Left out are also what an operator hands over and deletes (the first officer's profile, the next Party key,
the keys of a ceremony) and what is on its way for moments (`tray/`, `pending/`).

A home is put back whole or not at all, into an empty folder, and marked: the node that starts there knows that it was away.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from nacl.bindings import sodium_memcmp

from federation import limits
from federation.errors import Conflict, InvalidConfiguration, InvalidInput, Malformed, StoreUnavailable
from node import __version__
from node import limits as node_limits
from node.config import NodeSettings, read_node_settings, read_secretariat_settings, write_settings
from node.formats.backups import (
    DATABASES,
    KEYSTORE,
    SALT_BYTES,
    SETTINGS,
    SMALL_FILES,
    Header,
    HomeKind,
    Manifest,
    Member,
    OpenBackup,
    encode_header,
    may_be_named,
    read_header,
    seal_backup,
)
from node.keystore import Cost
from node.keystore.file import derive_key
from node.restored import Restored, write_mark
from node.store import directory, enrolment, exchange, officers, patterns, trace
from node.store.database import copy_store, looking_into
from node.store.schema import Schema
from node.use_cases.world import World

SCHEMAS: Final[dict[str, Schema]] = {
    f"{one.name}.sqlite": one for one in (module.SCHEMA for module in (directory, enrolment, exchange, officers, patterns, trace))
}
_WORKSHOP: Final = ".backup"
"""A folder in the home, so that nothing of it is ever on another disk unencrypted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """One file as it goes into a backup: bytes, or a copy on the disk."""

    name: str
    source: bytes | Path

    @property
    def size(self) -> int:
        return len(self.source) if isinstance(self.source, bytes) else self.source.stat().st_size

    def pieces(self) -> Iterator[bytes]:
        if isinstance(self.source, bytes):
            yield self.source
            return
        with self.source.open("rb") as file:
            yield from iter(lambda: file.read(node_limits.BACKUP_PIECE_BYTES), b"")


def take(home: Path, output: Path, passphrase: bytes, *, world: World, cost: Cost) -> Manifest:
    """Write a backup of a home, whose node may be running. The file is there whole or not at all, and for its owner alone.

    Raises:
        InvalidConfiguration: the folder is no node's, or a file that its settings name is missing.
        Conflict: another backup is being made, or the output is there already.
        InvalidInput: the passphrase is too short.
        StoreUnavailable: the disk refuses.
    """
    kind = _kind_of(home)
    if output.exists():
        raise Conflict(f"{output} is there already", hint="a backup is never written over: name another file")
    if len(passphrase) < node_limits.PASSPHRASE_BYTES_MIN:
        raise InvalidInput("the passphrase is too short", hint=f"use at least {node_limits.PASSPHRASE_BYTES_MIN} characters")
    with _disk(output), _workshop(home / _WORKSHOP, f"another backup of {home} is being made") as folder:
        contents = [
            *_databases(home, kind, folder),
            *_files(home, kind, folder),
            _small(KEYSTORE, home / KEYSTORE, node_limits.KEYSTORE_BYTES_MAX),
        ]
        manifest = Manifest(
            kind=kind,
            program=__version__,
            taken=world.now(),
            files=tuple(Member(name=one.name, size=one.size) for one in contents),
        )
        passes, memory_bytes = cost.value
        salt = world.entropy(SALT_BYTES)
        key, check = derive_key(passphrase, salt, passes, memory_bytes)
        line = encode_header(Header(passes=passes, memory_bytes=memory_bytes, salt=salt, key_check=check))
        sealed = seal_backup(key, line, manifest, (piece for one in contents for piece in one.pieces()))
        _write_whole(output, (piece for pieces in ((line,), sealed) for piece in pieces))
    return manifest


def _kind_of(home: Path) -> HomeKind:
    for kind, name in SETTINGS.items():
        if (home / name).exists():
            return kind
    raise InvalidConfiguration(f"{home} holds no node", hint="name the folder of a Party's node or of the Secretariat's")


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(f"{error.filename or path} cannot be read or written: {error.strerror}") from error


@contextmanager
def _workshop(folder: Path, busy: str) -> Iterator[Path]:
    """An empty folder for the time of the block, unless it has another name by then; what an interrupted run left in it is removed."""
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Conflict(busy, hint="wait until it has ended") from None
        try:
            os.fchmod(descriptor, 0o700)
            for left in folder.iterdir():
                shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)


def _databases(home: Path, kind: HomeKind, folder: Path) -> Iterator[_Content]:
    for name in DATABASES[kind]:
        if (home / name).exists():
            copy_store(home / name, folder / name, SCHEMAS[name])
            yield _Content(name=name, source=folder / name)


def _files(home: Path, kind: HomeKind, folder: Path) -> Iterator[_Content]:
    """Settings, what they name, and the other small files."""
    here = {name: home / name for name in SMALL_FILES[kind] if (home / name).exists()}
    named: dict[str, Path] = {}
    if kind is HomeKind.PARTY:
        settings = read_node_settings(home / SETTINGS[kind])
        stored = _stored_names(settings)
        named = {stored[name]: home / name for name in stored}
        if any(name != inside for name, inside in stored.items()):
            here[SETTINGS[kind]] = folder / SETTINGS[kind]
            write_settings(here[SETTINGS[kind]], _moved(settings, stored))
    for name, path in here.items():
        yield _small(name, path, node_limits.BACKUP_SMALL_FILE_BYTES_MAX)
    for name, path in named.items():
        yield _small(name, path, limits.PATTERN_FILE_BYTES_MAX)


def _named(settings: NodeSettings) -> tuple[str, ...]:
    """The files that settings name, each once and in their order."""
    return tuple(dict.fromkeys((*settings.patterns, *([settings.policy] if settings.policy is not None else []))))


def _stored_names(settings: NodeSettings) -> dict[str, str]:
    """Under which name each of them goes into the backup: its own, or one inside the home when it lies elsewhere."""
    return {
        name: name if may_be_named(name) else f"named/{place}-{re.sub(r'[^A-Za-z0-9._-]|[.]{2,}', '_', Path(name).name)[-60:]}"
        for place, name in enumerate(_named(settings), start=1)
    }


def _moved(settings: NodeSettings, stored: dict[str, str]) -> NodeSettings:
    return msgspec.structs.replace(
        settings,
        patterns=tuple(stored[name] for name in settings.patterns),
        policy=stored[settings.policy] if settings.policy is not None else None,
    )


def _small(name: str, path: Path, bytes_max: int) -> _Content:
    """A file that fits into memory, read at once: what replaces it meanwhile replaces it whole."""
    with path.open("rb") as file:
        content = file.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise InvalidConfiguration(f"{path} is larger than such a file can be")
    return _Content(name=name, source=content)


def _write_whole(output: Path, pieces: Iterator[bytes]) -> None:
    descriptor, name = tempfile.mkstemp(dir=output.absolute().parent, prefix=f".{output.name}.")  # mode 0600
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(descriptor)
        draft.rename(output)
        _sync_folder(output.absolute().parent)
    finally:
        draft.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _opened(path: Path, passphrase: bytes) -> Iterator[OpenBackup]:
    with _disk(path), path.open("rb") as file:
        yield _open(file, passphrase)


def _open(file: BinaryIO, passphrase: bytes) -> OpenBackup:
    header, line = read_header(file)
    key, check = derive_key(passphrase, header.salt, header.passes, header.memory_bytes)
    if not sodium_memcmp(check, header.key_check):
        raise InvalidInput("the passphrase does not open this backup", hint="type it again; capitals count")
    return OpenBackup(file, key=key, line=line, size=os.fstat(file.fileno()).st_size)


def verify(path: Path, passphrase: bytes) -> Manifest:
    """Read a backup to its end, and write nothing.

    Raises:
        Malformed, Incompatible: it is none, or was cut off.
        InvalidInput: wrong passphrase.
        Unauthentic: it was changed.
    """
    with _opened(path, passphrase) as backup:
        for member in backup.manifest.files:
            for _ in backup.content(member):
                pass
        backup.finish()
        return backup.manifest


def restore(path: Path, home: Path, passphrase: bytes, *, now: int) -> Manifest:
    """Put a backup into an empty folder, whole or not at all, and mark it.

    Raises:
        Conflict: the folder is not empty.
        As `verify`; and InvalidConfiguration: the settings in it name a file that is not in it, or a store is of no version known here.
    """
    if home.is_symlink() or (home.exists() and (not home.is_dir() or any(home.iterdir()))):
        raise Conflict(f"{home} is not empty", hint="name an empty folder, or one that is not there yet")
    with _opened(path, passphrase) as backup, _draft_of(home) as draft:
        for member in backup.manifest.files:
            _write_member(draft, member, backup.content(member))
        backup.finish()
        _check_home(draft, backup.manifest)
        write_mark(draft, Restored(at=now, taken=backup.manifest.taken))
        return backup.manifest


@contextmanager
def _draft_of(home: Path) -> Iterator[Path]:
    """A folder beside the home, which becomes the home at the end and is gone when anything goes wrong before."""
    parent = home.absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    with _workshop(parent / f".{home.name}.restoring", f"something is being put back into {home} already") as draft:
        yield draft
        _sync_folder(draft)
        draft.rename(home)
        _sync_folder(parent)


def _write_member(draft: Path, member: Member, pieces: Iterator[bytes]) -> None:
    target = draft / member.name
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def _check_home(draft: Path, manifest: Manifest) -> None:
    """What only the files together can show: settings that can be read and name what is there and nothing else, and stores of ours."""
    names = {one.name for one in manifest.files}
    known = {KEYSTORE, *DATABASES[manifest.kind], *SMALL_FILES[manifest.kind]}
    if manifest.kind is HomeKind.PARTY:
        named = set(_named(read_node_settings(draft / SETTINGS[manifest.kind])))
    else:
        read_secretariat_settings(draft / SETTINGS[manifest.kind])
        named = set()
    if names - known != named:
        raise Malformed("the settings in a backup name other files than the backup holds")
    for name in names & SCHEMAS.keys():
        with looking_into(draft / name, SCHEMAS[name]):
            pass
