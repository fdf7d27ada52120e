"""Files that are carried: read and written here, and what became of them in words and for programs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from federation import limits
from federation.errors import Conflict, InvalidInput, Oversized
from node.cli.output import Document, clock, columns, rfc3339
from node.use_cases.carrying_values import Exported, Fate, Outcome, Step

FATES: Final = {
    Fate.TAKEN: "taken",
    Fate.SEEN: "was here before",
    Fate.REFUSED: "refused",
    Fate.LATER: "not taken now, import the file again",
}


def check_new(path: Path) -> None:
    """See that a file of this name can be made, before anything is done.

    Raises:
        Conflict: there is one.
    """
    if path.exists():
        raise Conflict(f"{path} is there already", hint="name another file")


def write_new(path: Path, raw: bytes) -> None:
    """A file never replaces another one, which may not have arrived; and it shows between whom messages go, so it is nobody else's.

    Raises:
        Conflict, InvalidInput: it cannot be made.
    """
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())  # people pull a stick out as soon as they can
    except FileExistsError:
        raise Conflict(f"{path} is there already", hint="name another file") from None
    except OSError as error:
        raise InvalidInput(
            f"{path} cannot be written: {error.strerror}", hint="see whether the stick is full or protected"
        ) from error


def read_file(path: Path) -> bytes:
    """The file, unless it is larger than any of its kind.

    Raises:
        Oversized, InvalidInput: it is, or it cannot be read.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(limits.PARCEL_BYTES_MAX + 1)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}", hint="copy the file again") from error
    if len(raw) > limits.PARCEL_BYTES_MAX:
        raise Oversized(
            f"{path} has more than {limits.PARCEL_BYTES_MAX} bytes, which no parcel has",
            hint="see whether this is the file that the other side exported",
        )
    return raw


def exported_document(path: Path, exported: Exported) -> Document:
    """A file that was made, for programs."""
    return {
        "file": str(path),
        "bytes": len(exported.file),
        "parcel_id": exported.parcel_id.hex(),
        "party": exported.party,
        "created": rfc3339(exported.created),
        "messages": exported.messages,
        "sealed_anew": exported.sealed_anew,
        "left": exported.left,
        "without_key": exported.without_key,
        "receipts": exported.receipts,
    }


def exported_lines(path: Path, exported: Exported) -> Iterator[str]:
    """The same for people."""
    party = exported.party
    yield f"{path}: {len(exported.file)} bytes for {party}, file {exported.parcel_id.hex()}"
    anew = f", {exported.sealed_anew} of them sealed anew because the earlier sealing had ended" if exported.sealed_anew else ""
    yield f"In it: {counted(exported.messages, 'sealed message')}{anew}; {counted(exported.receipts, 'receipt')}; our newest key."
    if exported.left:
        yield f"{counted(exported.left, 'message')} left for the next file, which has room when receipts for this one are here."
    if exported.without_key:
        yield (
            f"{counted(exported.without_key, 'message')} cannot be sealed: no key of {party} is here that may be used. "
            "Import a file of that Party first; its newest key is in it."
        )
    if exported.messages:
        yield "The messages wait in the outbox all the same, until their receipts are here: gsp inbox import FILE"


def counted(number: int, what: str) -> str:
    """`1 message`, `2 messages`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def imported_document(steps: Sequence[Step]) -> dict[str, object]:
    """A file that was taken, for programs."""
    last = steps[-1]
    return {
        "party": last.party,
        "parcel_id": last.parcel_id.hex(),
        "created": rfc3339(last.created),
        "entries": last.entries,
        "entries_problem": last.entries_problem or None,
        "outcomes": [outcome_document(one) for one in outcomes_of(steps)],
    }


def outcome_document(outcome: Outcome) -> Document:
    """One message or receipt of it."""
    return {
        "content": outcome.content,
        "id": outcome.message_id.hex() if outcome.message_id is not None else None,
        "fate": outcome.fate,
        "problem": outcome.problem or None,
        "message": outcome.words or None,
        "hint": outcome.hint or None,
    }


def outcomes_of(steps: Sequence[Step]) -> tuple[Outcome, ...]:
    """Of all steps, in the order of the file."""
    return tuple(outcome for step in steps for outcome in step.outcomes)


def imported_lines(steps: Sequence[Step]) -> Iterator[str]:
    """The same for people: what it is, then a line for each message and receipt, and why where something was refused."""
    last, outcomes = steps[-1], outcomes_of(steps)
    yield f"From {last.party}, made {clock(last.created)}, file {last.parcel_id.hex()}"
    yield from columns([_row(one) for one in outcomes])
    if not outcomes:
        yield "There is no message and no receipt in it."
    if last.entries:
        yield f"New entries of the directory that came with it: {last.entries}."
    if last.entries_problem:
        yield f"The directory entries in it were not taken: {last.entries_problem}."


def _row(outcome: Outcome) -> tuple[str, str, str]:
    name = outcome.message_id.hex() if outcome.message_id is not None else "(cannot be read)"
    why = f": {outcome.words} ({outcome.hint})" if outcome.words else ""
    return (outcome.content, name, f"{FATES[outcome.fate]}{why}")
