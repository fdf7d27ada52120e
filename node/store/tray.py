"""A folder through which an operator's command hands a request to the running node: one small JSON file each.

Whoever may write into the node's own folder may do this, and nobody else. What a request claims is checked by signatures where it
matters: an approval is worth nothing without a founder's signature over the very entry.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import msgspec

from federation import limits
from federation.errors import FederationError, InvalidInput, Unavailable
from federation.identity import PartyId, party_id
from federation.trust.entries import Signature

logger = logging.getLogger(__name__)

_REQUEST_BYTES_MAX: Final = 4_096
Hex32 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Hex64 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{128}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """A Party is invited; created in Unix seconds."""

    party: PartyId
    token_hash: bytes
    created: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A founder signed an admission."""

    party: PartyId
    signature: Signature


class _InviteFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="invite"):
    party: str
    token_hash: Hex32
    created: Annotated[int, msgspec.Meta(ge=0, le=limits.TIME_S_MAX)]


class _ApprovalFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="approval"):
    party: str
    public_key: Hex32
    signature: Hex64


class Tray:
    """The folder. A request is taken once; what became of it stands beside it as `.done` or `.refused`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, request: Invite | Approval) -> Path:
        """Lay a request down whole or not at all, and give the file that it is."""
        match request:
            case Invite():
                file: msgspec.Struct = _InviteFile(
                    party=request.party, token_hash=request.token_hash.hex(), created=request.created
                )
                name = f"invite-{request.party}-{request.token_hash.hex()[:12]}"
            case Approval():
                file = _ApprovalFile(
                    party=request.party,
                    public_key=request.signature.public_key.hex(),
                    signature=request.signature.signature.hex(),
                )
                name = f"approval-{request.party}-{request.signature.public_key.hex()[:12]}"
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self._folder / f"{name}.draft"
        draft.write_bytes(msgspec.json.encode(file))
        return draft.rename(self._folder / f"{name}.json")

    def take(self) -> Iterator[tuple[Path, Invite | Approval]]:
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


def _read(path: Path) -> Invite | Approval:
    try:
        with path.open("rb") as file:
            raw = file.read(_REQUEST_BYTES_MAX + 1)
        parsed = msgspec.json.decode(raw, type=_InviteFile | _ApprovalFile)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput("a file in the tray is no request") from error
    if isinstance(parsed, _InviteFile):
        return Invite(party=party_id(parsed.party), token_hash=bytes.fromhex(parsed.token_hash), created=parsed.created)
    signature = Signature(public_key=bytes.fromhex(parsed.public_key), signature=bytes.fromhex(parsed.signature))
    return Approval(party=party_id(parsed.party), signature=signature)
