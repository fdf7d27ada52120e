"""What an auditor looks for, what is found, and the closing line that says how much of it there was.

Rows are records of the journal, because it is what cannot be changed unnoticed, each with what the store says of the message. The
closing line is a signed note of the node: whoever takes a row out of a file, adds one or changes one has another digest than the node
signed. The same line is where the next page goes on, so that a node keeps nothing between two calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Final

from federation import limits
from federation.errors import InvalidInput, Malformed, Unauthentic
from federation.evidence.journal import JournalKind
from federation.identity import NodeName, party_id
from federation.query.lifecycle import AskedState, ReceivedState
from federation.text import check_plain
from federation.trust import keys, note
from federation.trust.keys import Signer
from federation.trust.note import Note, NoteKey

_FIRST_LINE: Final = "gsp-audit/1"
_NONE: Final = -1
STATES: Final = frozenset(str(state) for state in (*AskedState, *ReceivedState))


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for; all of it has to be so. Empty is anything.

    Attributes:
        since, until: Unix seconds of the record: from the first on, and before the second.
        officer_id: who signed the message, here or at the other Party.
        state: of the query.
        reference: the own case reference of an asked query, whole.
        code: a code of the query, as it was asked or as it was scanned.
        kind: of the record.
    """

    since: int = 0
    until: int = limits.TIME_S_MAX
    peer: str = ""
    officer_id: str = ""
    state: str = ""
    reference: str = ""
    code: str = ""
    kind: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.since <= self.until <= limits.TIME_S_MAX:
            raise InvalidInput("a search is from a time to a later one")
        for what, longest in _LONGEST.items():
            check_plain(getattr(self, what), what, characters_max=longest)
        if self.peer:
            party_id(self.peer)
        if self.state and self.state not in STATES:
            raise InvalidInput(f"no query is in the state {self.state}", hint=f"the states are {', '.join(sorted(STATES))}")
        if self.kind and self.kind not in set(JournalKind):
            raise InvalidInput(f"no record is of the kind {self.kind}", hint=f"the kinds are {', '.join(JournalKind)}")

    @property
    def asks_of_the_message(self) -> bool:
        """Whether the record alone does not say if it is one of these."""
        return bool(self.officer_id or self.state or self.reference or self.code)

    def words(self, veil: Callable[[str], str]) -> str:
        """For the record of use: what is sealed in the store, a code or a reference, is not written open beside it."""
        said = [f"{what} {getattr(self, what)}" for what in ("peer", "officer_id", "state", "kind") if getattr(self, what)]
        said += [f"{what} {veil(getattr(self, what))}" for what in ("reference", "code") if getattr(self, what)]
        return ", ".join([f"{self.since} to {self.until}", *said])


_LONGEST: Final = {
    "peer": 2,
    "officer_id": limits.NAME_CHARACTERS_MAX,
    "state": limits.NAME_CHARACTERS_MAX,
    "reference": limits.REFERENCE_CHARACTERS_MAX,
    "code": limits.SCAN_CHARACTERS_MAX,
    "kind": limits.NAME_CHARACTERS_MAX,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One record of the journal, with what it is about.

    Attributes:
        position: in the journal, from 0.
        at: Unix seconds by the node's clock.
        message_id, query_id: in hexadecimal; empty where there is none.
        direction: asked or received, of the query; empty where there is none.
        officer_id: opaque; empty where a policy spoke, or nobody.
        codes: how many the query is about.
    """

    position: int
    at: int
    kind: str
    peer: str
    message_id: str = ""
    query_id: str = ""
    direction: str = ""
    officer_id: str = ""
    state: str = ""
    reference: str = ""
    codes: int = 0
    note: str = ""
    digest: str = ""


COLUMNS: Final = tuple(field.name for field in fields(AuditRow))
NUMBERS: Final = frozenset({"position", "at", "codes"})


def chained(before: bytes, rows: Iterable[AuditRow]) -> bytes:
    """The digest of all rows so far, in their order."""
    for row in rows:
        before = keys.digest("gsp/v1/audit-row", before, *(str(getattr(row, column)).encode() for column in COLUMNS))
    return before


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What a node says of the rows that it gave.

    Attributes:
        node: by name.
        officer_id: to whom.
        began: Unix seconds at which the search began.
        rows: how many, all pages together.
        digest: over all of them (32 bytes).
        erased: records of the time that the search passed and that were erased at the end of retention.
        next: position of the record at which it goes on, downwards; -1 when it is done.
        journal, size, root: the journal as it was when the search began.
    """

    node: str
    officer_id: str
    began: int
    search: Search
    rows: int
    digest: bytes
    erased: int
    next: int
    journal: str
    size: int
    root: bytes

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to look at."""
        return self.next == _NONE

    def text(self) -> bytes:
        """The note's text: one line for each."""
        looked = [(f"search.{field.name}", str(getattr(self.search, field.name))) for field in fields(Search)]
        lines = [
            _FIRST_LINE,
            f"node {self.node}",
            f"officer {self.officer_id}",
            f"began {self.began}",
            *(f"{what} {value}" if value else what for what, value in looked),
            f"rows {self.rows}",
            f"digest {self.digest.hex()}",
            f"erased {self.erased}",
            f"next {self.next}",
            f"journal {self.journal}",
            f"size {self.size}",
            f"root {self.root.hex()}",
        ]
        return ("\n".join(lines) + "\n").encode()


def sign_closing(closing: Closing, signer: Signer) -> bytes:
    """The closing line as a signed note."""
    text = closing.text()
    return note.format_note(Note(text=text, signatures=(note.sign_note(text, _signs_as(closing.node), signer),)))


def read_closing(raw: bytes, *, node: str, public_key: bytes) -> Closing:
    """A closing line of that node.

    Raises:
        Malformed: it is none.
        Unauthentic: another node's, or changed.
    """
    parsed = note.parse_note(raw)
    note.verify_note(parsed, [NoteKey(name=_signs_as(node), public_key=public_key)])
    closing = parse_closing(parsed.text)
    if closing.node != node or len(parsed.signatures) != 1:
        raise Unauthentic("the closing line is another node's")
    return closing


def parse_closing(text: bytes) -> Closing:
    """Read what a closing line says; who says it is not asked here.

    Raises:
        Malformed: it is none, or in another spelling.
    """
    try:
        lines = text.decode().removesuffix("\n").split("\n")
        said = {name: value for name, _, value in (line.partition(" ") for line in lines[1:])}
        searched = {field.name: said[f"search.{field.name}"] for field in fields(Search)}
        closing = Closing(
            node=said["node"],
            officer_id=said["officer"],
            began=int(said["began"]),
            search=Search(**{**searched, "since": int(searched["since"]), "until": int(searched["until"])}),  # type: ignore[arg-type]  # texts, beside the two numbers
            rows=int(said["rows"]),
            digest=bytes.fromhex(said["digest"]),
            erased=int(said["erased"]),
            next=int(said["next"]),
            journal=said["journal"],
            size=int(said["size"]),
            root=bytes.fromhex(said["root"]),
        )
    except (KeyError, ValueError, InvalidInput) as error:
        raise Malformed("this is no closing line of an audit") from error
    if closing.text() != text:
        raise Malformed("a closing line of an audit has one spelling")
    return closing


def _signs_as(node: str) -> str:
    return f"{node}/audit"


def own_name(name: NodeName) -> str:
    """As a closing line names a node."""
    return name.dns


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page: rows, and the closing line over all pages so far."""

    rows: tuple[AuditRow, ...]
    closing: bytes
