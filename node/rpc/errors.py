"""The error tree as gRPC status, in both directions, by one table.

The server sends the status of an error's class, the message as its details, and `code` and hint as trailing metadata; the
client makes the same class again. A status without our code comes from gRPC itself (there was no connection, a message was too
large, the other node failed unexpectedly) and is read by its number; for connections that do not come about, `diagnosis` looks
for the reason.

What the other end wrote is shown to people, so it is cut to length and cleaned of control characters.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import grpc

from federation import errors
from federation.errors import FederationError
from node import limits as node_limits
from node.rpc.diagnosis import diagnosed

CODE_KEY: Final = "gsp-code"
HINT_KEY: Final = "gsp-hint-bin"

_NUMBERS: Final[dict[type[FederationError], grpc.StatusCode]] = {
    errors.FederationError: grpc.StatusCode.INTERNAL,
    errors.Misuse: grpc.StatusCode.INTERNAL,
    errors.Unprocessable: grpc.StatusCode.INTERNAL,
    errors.PeerMisbehaviour: grpc.StatusCode.FAILED_PRECONDITION,
    errors.Malformed: grpc.StatusCode.INVALID_ARGUMENT,
    errors.Oversized: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Unauthentic: grpc.StatusCode.UNAUTHENTICATED,
    errors.Unwitnessed: grpc.StatusCode.UNAUTHENTICATED,
    errors.Forbidden: grpc.StatusCode.PERMISSION_DENIED,
    errors.Replayed: grpc.StatusCode.ALREADY_EXISTS,
    errors.Incompatible: grpc.StatusCode.UNIMPLEMENTED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
    errors.Unreachable: grpc.StatusCode.UNAVAILABLE,
    errors.StoreUnavailable: grpc.StatusCode.UNAVAILABLE,
    errors.Stale: grpc.StatusCode.UNAVAILABLE,
    errors.KeysUnavailable: grpc.StatusCode.UNAVAILABLE,
    errors.Overloaded: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.DeadlinePassed: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.OperatorMistake: grpc.StatusCode.FAILED_PRECONDITION,
    errors.InvalidInput: grpc.StatusCode.INVALID_ARGUMENT,
    errors.InvalidScan: grpc.StatusCode.INVALID_ARGUMENT,
    errors.InvalidConfiguration: grpc.StatusCode.FAILED_PRECONDITION,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.UnknownParty: grpc.StatusCode.NOT_FOUND,
    errors.Conflict: grpc.StatusCode.ABORTED,
}
"""Every class of the tree (a test says so)."""

_CLASSES: Final = {(error.code, number): error for error, number in _NUMBERS.items()}

_BARE: Final[dict[grpc.StatusCode, tuple[type[FederationError], str]]] = {
    grpc.StatusCode.RESOURCE_EXHAUSTED: (errors.Oversized, "the message is larger than gRPC is allowed to carry"),
    grpc.StatusCode.UNIMPLEMENTED: (errors.Incompatible, "the other node does not know this call"),
}
_SILENT: Final = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What gRPC carries for an error.

    Attributes:
        number: gRPC's status code.
        details: the message.
        trailing: metadata with the error's `code` and hint; empty for a failure that nobody foresaw.
    """

    number: grpc.StatusCode
    details: str
    trailing: tuple[tuple[str, str | bytes], ...] = ()


UNFORESEEN: Final = Status(number=grpc.StatusCode.INTERNAL, details="the node failed to handle this call")
"""What a peer learns of an exception that is not ours: nothing. The log has the rest."""


def to_status(error: FederationError) -> Status:
    """Write an error as a status; a class that is not in the table goes as its nearest ancestor."""
    listed = next(ancestor for ancestor in type(error).__mro__ if ancestor in _NUMBERS)
    trailing = ((CODE_KEY, listed.code), (HINT_KEY, clean(error.hint).encode()))
    return Status(number=_NUMBERS[listed], details=clean(error.message), trailing=trailing)


def from_status(status: Status, *, now: float) -> FederationError:
    """Read a status as the error it was at the other end.

    Args:
        status: as it came; nothing in it is trusted.
        now: Unix seconds, shown where clocks may be the reason.
    """
    given = dict(status.trailing)
    listed = _CLASSES.get((str(given.get(CODE_KEY, "")), status.number))
    if listed is not None:
        return listed(clean(status.details) or listed.code, hint=_hint(given.get(HINT_KEY)))
    if status.number in _SILENT:
        return diagnosed(status.details, now=now)
    if status.number in _BARE:
        bare, message = _BARE[status.number]
        return bare(message)
    return errors.Unavailable("the other node failed to handle this call", hint="its operator finds the reason in its log")


def status_of(failure: grpc.aio.AioRpcError) -> Status:
    """The status in gRPC's own exception."""
    trailing: Iterable[tuple[str, str | bytes]] = failure.trailing_metadata() or ()
    return Status(number=failure.code(), details=failure.details() or "", trailing=tuple(trailing))


def _hint(raw: str | bytes | None) -> str | None:
    """The class has a hint of its own when none came."""
    text = raw.decode(errors="replace") if isinstance(raw, bytes) else raw or ""
    return clean(text) or None


def clean(text: str) -> str:
    """Message or hint of an error, fit to be shown: cut to length and on one line."""
    printable = "".join(
        character if character.isprintable() else " " for character in text[: 2 * node_limits.ERROR_TEXT_CHARACTERS_MAX]
    )
    return " ".join(printable.split())[: node_limits.ERROR_TEXT_CHARACTERS_MAX]
