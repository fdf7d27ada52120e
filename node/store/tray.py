"""A folder through which an operator's command hands a request to the running node: one small JSON file each.

Whoever may write into the node's own folder may do this, and nobody else. What a request claims is checked by signatures where it
matters: an approval is worth nothing without a founder's signature over the very entry.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final

import msgspec

from federation import limits
from federation.errors import FederationError, InvalidInput, Unavailable
from federation.identity import PartyId, party_id
from federation.trust.entries import EntryKind, Signature

logger = logging.getLogger(__name__)

_REQUEST_BYTES_MAX: Final = 4_096
Hex32 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Hex64 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{128}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """A Party is invited.

    Attributes:
        created: Unix seconds.
        anew: what the Party, or somebody with its code, has begun is given up.
    """

    party: PartyId
    token_hash: bytes
    created: int
    anew: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A founder signed an admission."""

    party: PartyId
    signature: Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Somebody signed an entry that waits, other than an admission.

    Attributes:
        entry: SHA-256 of its bytes.
    """

    kind: EntryKind
    entry: bytes
    signature: Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosignature:
    """A founder cosigned a checkpoint; `note` is a signed note."""

    note: bytes


Request = Invite | Approval | Signed | Cosignature


class _InviteFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="invite"):
    party: str
    token_hash: Hex32
    created: Annotated[int, msgspec.Meta(ge=0, le=limits.TIME_S_MAX)]
    anew: bool = False


class _ApprovalFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="approval"):
    party: str
    public_key: Hex32
    signature: Hex64


class _SignedFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="signed"):
    entry_kind: EntryKind
    entry: Hex32
    public_key: Hex32
    signature: Hex64


class _CosignatureFile(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="cosignature"
):
    note: Annotated[str, msgspec.Meta(max_length=2_048)]


_File = _InviteFile | _ApprovalFile | _SignedFile | _CosignatureFile


class Tray:
    """The folder. A request is taken once; what became of it stands beside it as `.done` or `.refused`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, request: Request) -> Path:
        """Lay a request down whole or not at all, and give the file that it is."""
        name, file = _file_of(request)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self._folder / f"{name}.draft"
        draft.write_bytes(msgspec.json.encode(file))
        return draft.rename(self._folder / f"{name}.json")

    def take(self) -> Iterator[tuple[Path, Request]]:
        """Requests that wait. One that cannot be read is put aside and hides no other."""
        for path in sorted(self._folder.glob("*.json")):
            try:
                yield path, _read(path)
            except FederationError as error:
                _refuse(path, error)

    async def settle(self, path: Path, work: Awaitable[object]) -> None:
        """Do the work of a request and put its file aside; a request that is refused says why in its file's neighbour. What cannot be
        done at this moment stays in the tray.
        """
        try:
            await work
        except Unavailable as error:
            logger.warning("a request stays in the tray", extra={"problem": error.code})
        except FederationError as error:
            _refuse(path, error)
        else:
            _put_aside(path, ".done")


def _file_of(request: Request) -> tuple[str, msgspec.Struct]:
    """Name and content of a request's file; the same request has the same name."""
    match request:
        case Invite():
            invite = _InviteFile(
                party=request.party, token_hash=request.token_hash.hex(), created=request.created, anew=request.anew
            )
            return f"invite-{request.party}-{invite.token_hash[:12]}", invite
        case Approval():
            key, signature = request.signature.public_key.hex(), request.signature.signature.hex()
            return f"approval-{request.party}-{key[:12]}", _ApprovalFile(party=request.party, public_key=key, signature=signature)
        case Signed():
            key, signature = request.signature.public_key.hex(), request.signature.signature.hex()
            signed = _SignedFile(entry_kind=request.kind, entry=request.entry.hex(), public_key=key, signature=signature)
            return f"signed-{signed.entry[:12]}-{key[:12]}", signed
        case Cosignature():
            name = f"cosignature-{sha256(request.note).hexdigest()[:24]}"
            return name, _CosignatureFile(note=request.note.decode("utf-8", "replace"))


def _refuse(path: Path, error: FederationError) -> None:
    logger.warning("a request in the tray was refused", extra={"problem": error.code})
    _put_aside(path, ".refused", why=f"{error.message}\nhint: {error.hint}\n")


def _put_aside(path: Path, suffix: str, *, why: str = "") -> None:
    """Every request may be carried out twice, so a file that cannot be moved is no reason to end the node."""
    try:
        if why:
            path.with_suffix(".why").write_text(why, encoding="utf-8")
        path.rename(path.with_suffix(suffix))
    except OSError as error:
        logger.warning("a file in the tray cannot be moved", extra={"problem": error.strerror})


def _read(path: Path) -> Request:
    try:
        with path.open("rb") as file:
            raw = file.read(_REQUEST_BYTES_MAX + 1)
        parsed: _File = msgspec.json.decode(raw, type=_File)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput("a file in the tray is no request") from error
    match parsed:
        case _InviteFile():
            token_hash = bytes.fromhex(parsed.token_hash)
            return Invite(party=party_id(parsed.party), token_hash=token_hash, created=parsed.created, anew=parsed.anew)
        case _ApprovalFile():
            return Approval(party=party_id(parsed.party), signature=_signature(parsed))
        case _SignedFile():
            return Signed(kind=parsed.entry_kind, entry=bytes.fromhex(parsed.entry), signature=_signature(parsed))
        case _CosignatureFile():
            return Cosignature(note=parsed.note.encode())


def _signature(file: _ApprovalFile | _SignedFile) -> Signature:
    return Signature(public_key=bytes.fromhex(file.public_key), signature=bytes.fromhex(file.signature))
