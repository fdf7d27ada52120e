"""The directory as people look at it: what a verified log says of each Party, now and before. The words are the command line's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from federation.identity import PartyId
from federation.trust import note, witness
from federation.trust.entries import (
    Admit,
    Authority,
    AuthorityKind,
    EntryKind,
    Mandate,
    Update,
)
from federation.trust.fingerprint import digits_of
from federation.trust.roster import OnDuty, PartyRecord, Recovery
from node.use_cases.verified_log import DirectoryView, EntryView

ValueType = TypeVar("ValueType")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyView:
    """One Party as the directory has it.

    Attributes:
        fingerprint: of the entry with which the founders gave it its keys, for reading aloud.
        confirmed: whether enough others vouched for its keys.
        duty: its witness duty, or None.
        counts: whether its cosignature counts now.
        cosigned: whether it stands under the newest checkpoint.
        answered_by: who answers for it: itself, a region, or nobody.
        mandates: that it gave or took and that have not ended, the newest first.
        recovery: one of it that waits, or None.
    """

    party: PartyId
    record: PartyRecord
    fingerprint: str
    confirmed: bool
    duty: OnDuty | None
    counts: bool
    cosigned: bool
    answered_by: PartyId | None
    mandates: tuple[Mandate, ...]
    recovery: Recovery | None


def party_views(view: DirectoryView, *, now: float) -> tuple[PartyView, ...]:
    """All Parties, by their letters."""
    counting = witness.counting_witnesses(view.roster)
    return tuple(_party(view, party, now=now, counts=party in counting) for party in sorted(view.roster.parties))


def _party(view: DirectoryView, party: PartyId, *, now: float, counts: bool) -> PartyView:
    roster = view.roster
    record = roster.parties[party]
    mandates = (one.mandate for one in reversed(roster.mandates))
    return PartyView(
        party=party,
        record=record,
        fingerprint=digits_of(record.admit_digest),
        confirmed=roster.is_confirmed(party),
        duty=roster.duties.get(party),
        counts=counts,
        cosigned=party in view.quorum.witnesses,
        answered_by=roster.responder(party, now=now),
        mandates=tuple(one for one in mandates if party in (one.region, one.member) and one.not_after > now),
        recovery=next((one for one in roster.recoveries if one.body.party == party), None),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Span(Generic[ValueType]):
    """Something that a Party said of itself, and how long it stood.

    Attributes:
        since, until: times of the entries with which it came and went, as their author wrote them; `until` is None while it stands.
        first, last: the numbers of those entries.
    """

    value: ValueType
    since: int
    first: int
    until: int | None = None
    last: int | None = None


def spans(view: DirectoryView, party: PartyId, pick: Callable[[Update], Iterable[ValueType]]) -> tuple[Span[ValueType], ...]:
    """What stood of a Party over time, the former ones included, in the order in which they came. A new admission begins anew."""
    standing: dict[ValueType, tuple[int, int]] = {}
    ended: list[Span[ValueType]] = []
    for entry in view.entries:
        if entry.refused or not isinstance(entry.body, Update | Admit) or entry.body.party != party:
            continue
        said = set(pick(entry.body)) if isinstance(entry.body, Update) else set()
        for value in [one for one in standing if one not in said]:
            since, first = standing.pop(value)
            ended.append(Span(value=value, since=since, first=first, until=entry.body.created, last=entry.index))
        if isinstance(entry.body, Update):
            for value in pick(entry.body):
                standing.setdefault(value, (entry.body.created, entry.index))
    open_ones = [Span(value=value, since=since, first=first) for value, (since, first) in standing.items()]
    return tuple(sorted([*ended, *open_ones], key=lambda span: span.first))


def entries_of(
    view: DirectoryView, *, start: int = 0, party: PartyId | None = None, kind: EntryKind | None = None
) -> Iterator[EntryView]:
    """Entries from a number on, about one Party or of one kind."""
    for entry in view.entries[start:]:
        if (party is None or party in entry.parties) and (kind is None or entry.kind is kind):
            yield entry


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedAuthority:
    """One line of the list of Article 8.8."""

    party: PartyId
    party_name: str
    authority: Authority


def authorities(view: DirectoryView, kind: AuthorityKind | None = None) -> tuple[ListedAuthority, ...]:
    """The competent authorities of all Parties that have not left, in the order in which each Party names them."""
    return tuple(
        ListedAuthority(party=party, party_name=record.name, authority=one)
        for party, record in sorted(view.roster.parties.items())
        if record.update is not None and not record.withdrawn
        for one in record.update.authorities
        if kind is None or one.kind is kind
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessLine:
    """A Party on witness duty.

    Attributes:
        counts_from: Unix seconds, in the log's time, from which it counts after its waiting time; None when it counts from the
            beginning, and while no checkpoint tells when it began.
        cosigned_at: when it cosigned the newest checkpoint, by its own clock; None when it has not.
    """

    party: PartyId
    name: str
    duty: OnDuty
    counts: bool
    counts_from: int | None
    cosigned_at: int | None


def witness_lines(view: DirectoryView) -> tuple[WitnessLine, ...]:
    """Everybody on duty, by letters."""
    roster = view.roster
    counting = witness.counting_witnesses(roster)
    nodes = {party: record.node for party, record in roster.parties.items() if record.node is not None}
    parsed = note.parse_note(view.replica.note)
    seen = {one.public_key: one.time for _, one in witness.verified_lines(parsed, map(witness.witness_key, nodes.values()))}
    lines = []
    for party, duty in sorted(roster.duties.items()):
        record, node = roster.parties.get(party), nodes.get(party)
        from_there = duty.seen_at + roster.governance.witness_wait_s if duty.seen_at is not None else None
        lines.append(
            WitnessLine(
                party=party,
                name=record.name if record is not None else party.upper(),
                duty=duty,
                counts=party in counting,
                counts_from=from_there,
                cosigned_at=seen.get(node.signing_key) if node is not None else None,
            )
        )
    return tuple(lines)
