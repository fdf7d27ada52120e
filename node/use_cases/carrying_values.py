"""What becomes of files that are carried, as values: for the desk, its line and the words on the screen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from federation.identity import MessageId, PartyId


class Content(StrEnum):
    """What a line of an import is about."""

    MESSAGE = "message"
    RECEIPT = "receipt"
    REFUSAL = "refusal"
    """The other side refused a message of ours that an earlier file brought there."""


class Fate(StrEnum):
    """What became of it."""

    TAKEN = "taken"
    SEEN = "seen"
    """It was here before, by whatever way; a message gets the same receipt again."""
    REFUSED = "refused"
    LATER = "later"
    """This node could not write it down: import the same file again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One message or receipt of a parcel.

    Attributes:
        message_id: of the message, or of that which is receipted; None when it cannot be read.
        problem: the error's code, or of a refusal that of the other side; empty when nothing is wrong.
        words, hint: the error's, for people.
    """

    content: Content
    message_id: MessageId | None
    fate: Fate
    problem: str = ""
    words: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A file for one Party.

    Attributes:
        file: to be written down; empty where only the numbers are told.
        messages: sealed messages in it.
        sealed_anew: how many of them were sealed again, because their earlier sealing had ended.
        left: messages that wait for the next file, because there was no room for them.
        without_key: messages that could not be sealed: no key of that Party is here.
        receipts: in it.
    """

    file: bytes
    parcel_id: bytes
    party: PartyId
    created: int
    messages: int
    sealed_anew: int
    left: int
    without_key: int
    receipts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of an import.

    Attributes:
        party: who made the file, as the directory says.
        outcomes: of this step, in the order of the file.
        done, total: how many of the file's receipts and messages are done with.
        entries: directory entries that came with it and are accepted now; told with the first step.
        entries_problem: why none were taken although some came, in words; or empty.
    """

    party: PartyId
    parcel_id: bytes
    created: int
    outcomes: tuple[Outcome, ...]
    done: int
    total: int
    entries: int
    entries_problem: str
