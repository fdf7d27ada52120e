"""Signed notes, checkpoints and cosignatures as C2SP specifies them (signed-note, tlog-checkpoint, tlog-cosignature).

A note is text with signature lines below it. A checkpoint is the text that names a log, its size and its root; a log signs it,
and witnesses cosign it with the time at which they saw it. Here are the formats and the check of signatures; who is a witness,
and whether a checkpoint follows from the last one, is decided in `federation.boundary.directory`.

Parsing is strict, so that a note has one spelling: base64 is canonical, numbers have no leading zeros, and `format_note` gives
back what `parse_note` read.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from hashlib import sha256
from typing import Final

from federation import limits
from federation.errors import Malformed, Misuse, Oversized, Unauthentic
from federation.trust.keys import PUBLIC_KEY_BYTES, Signer, check_public_key, verify
from federation.trust.merkle import HASH_BYTES

KEY_ID_BYTES: Final = 4

_TIME_BYTES: Final = 8
_TIME_MAX: Final = 2**63 - 1  # tlog-cosignature, "Format"
_LINE_START: Final = "\N{EM DASH} "
_CONTROLS: Final = bytes(set(range(0x20)) - {0x0A})
_FORBIDDEN_IN_NAME: Final = re.compile(r"[\s+\x00-\x1f\ud800-\udfff]")
"""Unicode spaces, plus signs, controls, and halves of characters, which have no UTF-8."""
_COSIGNATURE_HEADER: Final = b"cosignature/v1\n"


class KeyKind(IntEnum):
    """What a key signs, by the byte that the specification assigns."""

    ED25519 = 0x01
    """The text itself: how a log signs its checkpoint."""
    COSIGNATURE = 0x04
    """A checkpoint, with the time: how a witness signs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteKey:
    """A public key under the name that signs with it.

    Attributes:
        name: without spaces and plus signs, by custom a URL without its scheme.
        public_key: Ed25519, 32 bytes.
        kind: one key of one kind has one id, so a log's key says nothing as a witness.
    """

    name: str
    public_key: bytes
    kind: KeyKind = KeyKind.ED25519

    def __post_init__(self) -> None:
        _check_name(self.name)
        check_public_key(self.public_key)

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell the keys of one name apart; a hint and no proof of anything."""
        return _key_id(self.name, self.kind, self.public_key)

    @property
    def verifier_key(self) -> str:
        """The text form (signed-note, "Verifier keys"), for people and for configuration."""
        return f"{self.name}+{self.key_id.hex()}+{_encode(bytes([self.kind]) + self.public_key)}"


@lru_cache(maxsize=4_096)  # of the few keys of each node, and asked for with every checkpoint
def _key_id(name: str, kind: KeyKind, public_key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + bytes([kind]) + public_key).digest()[:KEY_ID_BYTES]


def parse_verifier_key(text: str) -> NoteKey:
    """Read the text form of a key.

    Raises:
        Malformed: another shape, another kind of key, or a key id that does not belong to the key.
        Unauthentic: a key that `check_public_key` refuses.
    """
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    material = _decode(encoded)
    if len(material) != 1 + PUBLIC_KEY_BYTES or material[0] not in set(KeyKind):
        raise Malformed("this is not the verifier key of a log or a witness")
    key = NoteKey(name=name, public_key=material[1:], kind=KeyKind(material[0]))
    if key_id != key.key_id.hex():
        raise Malformed("the id in a verifier key does not belong to its key", hint="a letter of it was mistyped or lost")
    return key


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    """One signature line.

    Attributes:
        name: of the signer, as it says.
        key_id: of the key, as the signer says: 4 bytes.
        blob: the signature, in the form of its kind.
    """

    name: str
    key_id: bytes
    blob: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.key_id) != KEY_ID_BYTES or not self.blob:
            raise Malformed("a signature line of a note is too short")


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Text and the signatures below it, in the order in which they stand there.

    Attributes:
        text: UTF-8, ending in a newline. Nothing in it counts before `verify_note` has returned.
        signatures: at least one.
    """

    text: bytes
    signatures: tuple[NoteSignature, ...]

    def __post_init__(self) -> None:
        _check_text(self.text)
        if not self.signatures:
            raise Malformed("a note has no signature")
        if len(self.signatures) > limits.CHECKPOINT_SIGNATURES_MAX:
            raise Oversized("a note has more signatures than there can be witnesses")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """One known key that signed.

    Attributes:
        name: of the signer. After a rotation, the old and the new key of one name are two of these: count names.
        public_key: the key.
        time: when a witness saw the checkpoint, by its own clock, in Unix seconds; None for a signature without a time.
    """

    name: str
    public_key: bytes
    time: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a log says of itself at one moment (tlog-checkpoint).

    Attributes:
        origin: the name of the log, which is also the name that it signs with.
        size: leaves in the log.
        root: the root of its Merkle tree, 32 bytes.
        extensions: further lines; this protocol writes none, and gives no meaning to those of others.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_name(self.origin)
        if not 0 <= self.size <= limits.TREE_SIZE_MAX:
            raise Malformed("no log has the size that a checkpoint says")
        if len(self.root) != HASH_BYTES:
            raise Malformed(f"the root in a checkpoint has {HASH_BYTES} bytes")
        if any(not line or "\n" in line for line in self.extensions):
            raise Malformed("an extension of a checkpoint is one line with something in it")
        _check_text(self.text())

    def text(self) -> bytes:
        """The text of the note: what is signed."""
        return "".join(f"{line}\n" for line in (self.origin, self.size, _encode(self.root), *self.extensions)).encode()


def parse_checkpoint(text: bytes) -> Checkpoint:
    """Read the text of a checkpoint.

    Raises:
        Malformed: another shape, or another spelling of the same numbers.
    """
    lines = _check_text(text).removesuffix("\n").split("\n")
    if len(lines) < 3:
        raise Malformed("a checkpoint has at least three lines")
    origin, size, root, *extensions = lines
    return Checkpoint(origin=origin, size=_parse_size(size), root=_decode(root), extensions=tuple(extensions))


def parse_note(raw: bytes) -> Note:
    """Read a note. Its signatures are not verified.

    Raises:
        Malformed: not a note, or not in its one spelling.
        Oversized: more bytes or signatures than any checkpoint has.
    """
    if len(raw) > limits.CHECKPOINT_BYTES_MAX:
        raise Oversized("a note is longer than any checkpoint")
    head, separator, tail = _check_text(raw).rpartition("\n\n")
    if not separator or not tail:
        raise Malformed("a note has no signature")
    lines = tail.removesuffix("\n").split("\n")
    return Note(text=f"{head}\n".encode(), signatures=tuple(_parse_line(line) for line in lines))


def format_note(note: Note) -> bytes:
    """The bytes that `parse_note` reads.

    Raises:
        Oversized: more bytes than any checkpoint has.
    """
    lines = "".join(f"{_LINE_START}{line.name} {_encode(line.key_id + line.blob)}\n" for line in note.signatures)
    raw = note.text + b"\n" + lines.encode()
    if len(raw) > limits.CHECKPOINT_BYTES_MAX:
        raise Oversized("a note is longer than any checkpoint")
    return raw


def sign_note(text: bytes, name: str, signer: Signer) -> NoteSignature:
    """Sign the text of a note under a name.

    Raises:
        Malformed: the text cannot be a note's.
        Misuse: the text reads like a cosignature, which says more than a signature of text does.
    """
    _check_text(text)
    if text.startswith(_COSIGNATURE_HEADER):
        raise Misuse("this text would be a cosignature; use `cosign`")
    key = NoteKey(name=name, public_key=signer.public_key, kind=KeyKind.ED25519)
    return NoteSignature(name=name, key_id=key.key_id, blob=signer.sign(text))


def cosign(text: bytes, name: str, signer: Signer, time: int) -> NoteSignature:
    """Cosign a checkpoint: say that at `time` (Unix seconds) the signer has seen no larger consistent one of this log.

    Raises:
        Malformed: the text is not a checkpoint.
        Misuse: the time cannot be written.
    """
    parse_checkpoint(text)
    if not 0 <= time <= _TIME_MAX:
        raise Misuse("a cosignature cannot carry this time")
    key = NoteKey(name=name, public_key=signer.public_key, kind=KeyKind.COSIGNATURE)
    return NoteSignature(
        name=name, key_id=key.key_id, blob=time.to_bytes(_TIME_BYTES) + signer.sign(_cosigned_message(text, time))
    )


def verify_note(note: Note, keys: Iterable[NoteKey]) -> tuple[Verified, ...]:
    """Say which of the known keys signed, each once, in the order of the note.

    Signatures of other keys are ignored. Four bytes of key id are no protection against a made collision: where several known
    keys share name and id, the signature has to verify under one of them.

    Raises:
        Unauthentic: no known key signed, or one of them appears with a signature that does not verify.
    """
    known: defaultdict[tuple[str, bytes], list[NoteKey]] = defaultdict(list)
    for key in keys:
        known[key.name, key.key_id].append(key)
    verified: dict[NoteKey, Verified] = {}
    for signature in note.signatures:
        candidates = known.get((signature.name, signature.key_id))
        if candidates is not None:
            key, time = _verify_line(note.text, signature, candidates)
            verified.setdefault(key, Verified(name=key.name, public_key=key.public_key, time=time))
    if not verified:
        raise Unauthentic("no known key signed this note")
    return tuple(verified.values())


def _verify_line(text: bytes, signature: NoteSignature, candidates: Sequence[NoteKey]) -> tuple[NoteKey, int | None]:
    for key in candidates:
        message, time, raw = text, None, signature.blob
        if key.kind is KeyKind.COSIGNATURE:
            time, raw = int.from_bytes(raw[:_TIME_BYTES]), raw[_TIME_BYTES:]
            message = _cosigned_message(text, time)
        try:
            verify(public_key=key.public_key, message=message, signature=raw)
        except Unauthentic:
            continue
        if time is None or time <= _TIME_MAX:
            return key, time
    raise Unauthentic("a note carries a false signature of a known key")


def _cosigned_message(text: bytes, time: int) -> bytes:
    return _COSIGNATURE_HEADER + b"time %d\n" % time + text


def _parse_line(line: str) -> NoteSignature:
    name, _, encoded = line.removeprefix(_LINE_START).partition(" ")
    if not line.startswith(_LINE_START):
        raise Malformed("a signature line of a note begins with a dash")
    raw = _decode(encoded)
    return NoteSignature(name=name, key_id=raw[:KEY_ID_BYTES], blob=raw[KEY_ID_BYTES:])


def _parse_size(text: str) -> int:
    digits_only = text.isascii() and text.isdigit() and len(text) <= len(str(limits.TREE_SIZE_MAX))
    if not digits_only or str(int(text)) != text:
        raise Malformed("the size in a checkpoint is a number without leading zeros")
    return int(text)


def _check_text(raw: bytes) -> str:
    """What texts and whole notes have in common: UTF-8, no control characters, a newline at the end."""
    if not raw.endswith(b"\n") or len(raw.translate(None, _CONTROLS)) != len(raw):
        raise Malformed("a note is plain text that ends in a newline")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Malformed("a note is UTF-8 text") from None


def _check_name(name: str) -> None:
    if not name or _FORBIDDEN_IN_NAME.search(name) is not None:
        raise Malformed("the name of a log or a witness has no spaces and no plus signs")


def _encode(raw: bytes) -> str:
    return b64encode(raw).decode()


def _decode(text: str) -> bytes:
    try:
        raw = b64decode(text, validate=True)
    except ValueError:
        raise Malformed("a part of a note is not base64") from None
    if _encode(raw) != text:
        raise Malformed("base64 in a note has two spellings")
    return raw
