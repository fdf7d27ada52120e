"""The backup file: one file, encrypted and authenticated from the first byte to the last.

    {"format":"gsp-backup", ... }                     JSON and a line end: how the key is made of the passphrase
    ciphertext                                        Cobblestone-256 under that key, its context "gsp/v1/backup" NUL and the first line

The plaintext is the length of a manifest (4 bytes, big-endian), the manifest in JSON, and the content of every file that it names, in
its order, with nothing between and nothing behind. So the size of a backup follows from its manifest, and one that was cut off is
known before anything is written.

Names come from a closed list, or from the settings that are in the backup: never a path that leaves the folder. Where the files come
from and where they go is left to `node.backup`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Annotated, BinaryIO, Final, Literal

import msgspec
from nacl.pwhash import argon2id

from federation import limits
from federation.envelope.suite import open_pieces, seal_pieces, stream_size
from federation.errors import Incompatible, Malformed, Oversized
from node import limits as node_limits

VERSION: Final = 1
SALT_BYTES: Final = argon2id.SALTBYTES
CHECK_BYTES: Final = 16
_CONTEXT: Final = b"gsp/v1/backup\0"
_LENGTH_BYTES: Final = 4
_HINT: Final = "take another copy of the backup; this one was cut off or is no backup of ours"


class HomeKind(StrEnum):
    """Whose home it was."""

    PARTY = "party"
    SECRETARIAT = "secretariat"


DATABASES: Final = {
    HomeKind.PARTY: ("exchange.sqlite", "directory.sqlite", "patterns.sqlite", "trace.sqlite", "officers.sqlite"),
    HomeKind.SECRETARIAT: ("directory.sqlite", "enrolment.sqlite"),
}
"""Copied in this order: what refers to the directory before the directory."""
SMALL_FILES: Final = {
    HomeKind.PARTY: ("node.toml", "joining.json"),
    HomeKind.SECRETARIAT: (
        "secretariat.toml",
        "genesis.leaf",
        "certificates/issuing-ca.pem",
        "certificates/ca.pem",
        "certificates/join.pem",
    ),
}
SETTINGS: Final = {HomeKind.PARTY: "node.toml", HomeKind.SECRETARIAT: "secretariat.toml"}
KEYSTORE: Final = "keystore"
"""Last in every backup: a keystore only grows, so it holds every key that the databases speak of."""

_NAMED: Final = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,99}/){0,3}[A-Za-z0-9_][A-Za-z0-9._-]{0,99}\Z")


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first line."""

    format: Literal["gsp-backup"] = "gsp-backup"
    version: int = VERSION
    kdf: Literal["argon2id"] = "argon2id"
    passes: Annotated[int, msgspec.Meta(ge=argon2id.OPSLIMIT_MIN, le=node_limits.ARGON2_PASSES_MAX)]
    memory_bytes: Annotated[int, msgspec.Meta(ge=argon2id.MEMLIMIT_MIN, le=node_limits.ARGON2_MEMORY_BYTES_MAX)]
    salt: Annotated[bytes, msgspec.Meta(min_length=SALT_BYTES, max_length=SALT_BYTES)]
    key_check: Annotated[bytes, msgspec.Meta(min_length=CHECK_BYTES, max_length=CHECK_BYTES)]


class Member(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file: its name in the home, and its size in bytes."""

    name: str
    size: Annotated[int, msgspec.Meta(ge=0, le=node_limits.BACKUP_DATABASE_BYTES_MAX)]


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is in a backup.

    Attributes:
        kind: whose home it was.
        program: version of the program that made it.
        taken: Unix seconds.
        files: in the order in which they follow.
    """

    kind: HomeKind
    program: Annotated[str, msgspec.Meta(max_length=40)]
    taken: Annotated[int, msgspec.Meta(ge=0, le=limits.TIME_S_MAX)]
    files: Annotated[tuple[Member, ...], msgspec.Meta(max_length=node_limits.BACKUP_FILES_MAX)]


def encode_header(header: Header) -> bytes:
    """The first line."""
    return msgspec.json.encode(header) + b"\n"


def read_header(file: BinaryIO) -> tuple[Header, bytes]:
    """The first line, parsed and as it stands; the file is behind it then.

    Raises:
        Malformed: this is no backup.
        Incompatible: another version of the program made it.
    """
    line = file.readline(node_limits.BACKUP_HEADER_BYTES_MAX)
    try:
        header = msgspec.json.decode(line, type=Header)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("this file is no backup", hint=_HINT) from error
    if header.version != VERSION:
        raise Incompatible(f"a backup of version {header.version}; this program reads {VERSION}", hint="use a newer gsp-node")
    if encode_header(header) != line:
        raise Malformed("this file is no backup", hint=_HINT)
    return header, line


def seal_backup(key: bytes, line: bytes, manifest: Manifest, contents: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces of the ciphertext.

    Args:
        key: made of the passphrase as the first line says.
        line: the first line.
        manifest: names and sizes.
        contents: all files, one after another, in pieces of any size.
    """
    encoded = msgspec.json.encode(manifest)
    check_names(manifest)

    def plain() -> Iterator[bytes]:
        yield len(encoded).to_bytes(_LENGTH_BYTES) + encoded
        yield from contents

    return seal_pieces(key, _CONTEXT + line, plain())


class OpenBackup:
    """A backup whose first line was read and whose key was made. Read `manifest`, then each of `contents` in turn, then `finish`:
    nothing that was read may be acted on before that has returned.

    Args:
        file: behind its first line.
        size: bytes of the whole file.

    Raises:
        Malformed: cut off, longer than it says, or names that no backup has.
        Unauthentic: changed, or made with another key.
    """

    def __init__(self, file: BinaryIO, *, key: bytes, line: bytes, size: int) -> None:
        self._pieces = open_pieces(key, _CONTEXT + line, iter(lambda: file.read(node_limits.BACKUP_PIECE_BYTES), b""))
        self._held = b""
        length = int.from_bytes(self._exactly(_LENGTH_BYTES))
        if length > node_limits.BACKUP_MANIFEST_BYTES_MAX:
            raise Oversized("the list of files in a backup is too long", hint=_HINT)
        self.manifest = _decode_manifest(self._exactly(length))
        expected = len(line) + stream_size(_LENGTH_BYTES + length + sum(one.size for one in self.manifest.files))
        if size != expected:
            raise Malformed(f"the backup has {size} bytes and was made with {expected}", hint=_HINT)

    def content(self, member: Member) -> Iterator[bytes]:
        """The next file, in pieces."""
        left = member.size
        while left:
            piece = self._some(left)
            left -= len(piece)
            yield piece

    def finish(self) -> None:
        """Return when everything was read and nothing is behind it."""
        if self._held or any(self._pieces):
            raise Malformed("a backup goes on behind its last file", hint=_HINT)

    def _exactly(self, count: int) -> bytes:
        return b"".join(iter(self._counted(count)))

    def _counted(self, count: int) -> Iterator[bytes]:
        while count:
            piece = self._some(count)
            count -= len(piece)
            yield piece

    def _some(self, most: int) -> bytes:
        """At least one byte."""
        while not self._held:
            try:
                self._held = next(self._pieces)
            except StopIteration:
                raise Malformed("a backup ends before its last file does", hint=_HINT) from None
        piece, self._held = self._held[:most], self._held[most:]
        return piece


def _decode_manifest(raw: bytes) -> Manifest:
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("the list of files in a backup cannot be read", hint=_HINT) from error
    check_names(manifest)
    return manifest


def check_names(manifest: Manifest) -> None:
    """Return when every name may be written into a folder, and no file is larger than one of its name can be.

    Raises:
        Malformed: one may not.
        Oversized: one is larger.
    """
    names = [one.name for one in manifest.files]
    folded = {name.lower() for name in names}
    if len(folded) != len(names):
        raise Malformed("a backup names a file twice", hint=_HINT)
    folders = {name[:place] for name in folded for place, letter in enumerate(name) if letter == "/"}
    if folders & folded:
        raise Malformed("a backup names a file as a folder, too", hint=_HINT)
    for one in manifest.files:
        if one.size > _size_max(one.name, manifest.kind):
            raise Oversized(f"`{one.name[:100]}` in a backup is larger than such a file can be", hint=_HINT)
    if not {KEYSTORE, SETTINGS[manifest.kind]} <= set(names):
        raise Malformed("a backup without settings or without a keystore", hint=_HINT)


def _size_max(name: str, kind: HomeKind) -> int:
    if name in DATABASES[kind]:
        return node_limits.BACKUP_DATABASE_BYTES_MAX
    if name in SMALL_FILES[kind]:
        return node_limits.BACKUP_SMALL_FILE_BYTES_MAX
    if name == KEYSTORE:
        return node_limits.KEYSTORE_BYTES_MAX
    if kind is HomeKind.PARTY and may_be_named(name):
        return limits.PATTERN_FILE_BYTES_MAX
    raise Malformed("a backup names a file that no home has", hint=_HINT)


def may_be_named(name: str) -> bool:
    """Whether settings in a backup may name a file so: inside the folder, in plain letters, and not one of the node's own files."""
    own = {KEYSTORE, *(one for kind in HomeKind for one in (*DATABASES[kind], *SMALL_FILES[kind]))}
    first = name.partition("/")[0].lower()
    reserved = any(first == one or first.startswith(f"{one}-") for one in own) or first in _RESERVED
    return _NAMED.match(name) is not None and ".." not in name and not reserved


_RESERVED: Final = {"restored.json", "officers", "certificates", "tray", "pending", "take-away"}
