"""Parcels: composed and signed as a whole, and one that was carried here, read in the order that must not change.

On receipt: the size, the first line with the version, the strict encoding; then for whom it is, the sender in the roster, the
signature over all of it, its age. Only then is anything in it looked at, each thing through the same door as from the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from federation import limits
from federation.delivery.parcel import PARCEL_VERSION, Parcel
from federation.errors import Forbidden, Incompatible, Malformed, Oversized, Stale, Unauthentic
from federation.identity import NodeName
from federation.trust import keys
from federation.trust.chain import utc_text
from federation.trust.keys import Signer
from federation.trust.roster import Roster, signing_keys
from federation.wire.parcel import decode_parcel, decode_signed_parcel, encode_parcel, encode_signed_parcel

_FIRST: Final = b"gsp parcel "
_LINE_BYTES_MAX: Final = 512
_COPY_AGAIN: Final = "copy the file again, and compare the size with the one that the other side has"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A parcel that was taken apart and not believed yet.

    Attributes:
        content: the bytes that were signed by way of their hash.
    """

    parcel: Parcel
    content: bytes
    signature: bytes


def compose_parcel(parcel: Parcel, signer: Signer) -> bytes:
    """The file.

    Raises:
        Oversized: more was put into it than it may hold.
    """
    content = encode_parcel(parcel)
    raw = first_line(parcel) + encode_signed_parcel(content, signer.sign(_signed(content)))
    if len(raw) > limits.PARCEL_BYTES_MAX:
        raise Oversized(f"a parcel of {len(raw)} bytes; at most {limits.PARCEL_BYTES_MAX} are taken")
    return raw


def first_line(parcel: Parcel) -> bytes:
    """What a person sees who looks into the file: what it is, from whom, for whom, and when it was made."""
    names = f"{parcel.sender.party} to {parcel.recipient.party}"
    line = f"{PARCEL_VERSION}: sealed messages from {names}, made {utc_text(parcel.created)}, file {parcel.parcel_id.hex()}\n"
    return _FIRST + line.encode()


def _signed(content: bytes) -> bytes:
    """What the node signs: the hash, because a hardware module does not take sixteen megabytes."""
    return keys.pae("parcel", keys.digest("gsp/v1/parcel", content))


def open_parcel(raw: bytes) -> Carried:
    """Take the file apart. Nothing in it is believed yet.

    Raises:
        Oversized: more than any parcel has.
        Incompatible: of another version.
        Malformed: no parcel, or one that was cut off or changed.
    """
    if len(raw) > limits.PARCEL_BYTES_MAX:
        raise Oversized(
            f"the file has {len(raw)} bytes; a parcel has at most {limits.PARCEL_BYTES_MAX}",
            hint="see whether this is the file that the other side exported",
        )
    end = raw.find(b"\n", 0, _LINE_BYTES_MAX)
    if end < 0 or not raw.startswith(_FIRST):
        raise Malformed("this is no parcel", hint="name the file that `gsp outbox export` wrote at the other side")
    version, _, _ = raw[len(_FIRST) : end].partition(b":")
    if version != str(PARCEL_VERSION).encode():
        raise Incompatible(f"this is a parcel of another version than {PARCEL_VERSION}, which this program reads")
    try:
        content, signature = decode_signed_parcel(raw[end + 1 :])
        parcel = decode_parcel(content)
    except (Incompatible, Oversized):
        raise
    except Malformed as error:
        raise Malformed(f"the parcel is damaged or not whole: {error.message}", hint=_COPY_AGAIN) from error
    if raw[: end + 1] != first_line(parcel):
        raise Malformed("the first line of the parcel says something else than the parcel", hint=_COPY_AGAIN)
    return Carried(parcel=parcel, content=content, signature=signature)


def verify_parcel(carried: Carried, *, roster: Roster, own: NodeName, now: float) -> Parcel:
    """See that the node which the directory lists for the sending Party made this file for this node.

    Args:
        carried: from `open_parcel`.
        roster: the accepted directory; no key and no name comes from the file alone.
        own: this node.
        now: Unix seconds.

    Raises:
        Forbidden: it is for somebody else, or nothing is exchanged with that Party.
        UnknownParty: the directory lists no such node.
        Unauthentic: the signature is not that node's, or it was made in the future.
        Stale: nothing in it could be opened any more.
    """
    parcel = carried.parcel
    if parcel.recipient != own:
        raise Forbidden(
            f"this parcel is for {parcel.recipient.dns}, and this node is {own.dns}",
            hint="carry it to the Party that its first line names",
        )
    if parcel.sender == own:
        raise Forbidden("this node made this parcel itself", hint="carry it to the other side; its reply is for you")
    _verify_signature(carried, roster)
    _check_age(parcel, now=now)
    return parcel


def _verify_signature(carried: Carried, roster: Roster) -> None:
    listed = signing_keys(roster, carried.parcel.sender, at=carried.parcel.created)
    try:
        keys.verify_any(public_keys=listed, message=_signed(carried.content), signature=carried.signature)
    except Unauthentic:
        raise Unauthentic(
            f"the signature of this parcel is not one of {carried.parcel.sender.dns} as the directory here lists it",
            hint="somebody changed or forged it, or the directory here is old: `gsp doctor` shows its age",
        ) from None


def _check_age(parcel: Parcel, *, now: float) -> None:
    clocks = f"it was made at {utc_text(parcel.created)} by its sender's clock, and here it is {utc_text(now)}"
    if parcel.created > now + limits.CLOCK_TOLERANCE_S:
        raise Unauthentic(f"a parcel comes from the future: {clocks}", hint="one of the two clocks is wrong: compare them")
    if parcel.created + limits.PARCEL_LIFE_S + limits.CLOCK_TOLERANCE_S < now:
        raise Stale(f"the parcel is too old: {clocks}", hint="ask for a new one: what waits is sealed again in it")
