"""The directory in plain words, as lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

from federation.ports import Enrolment
from federation.trust.entries import Administrator, Contact, Update
from federation.trust.roster import Recovery, Roster, Status
from federation.trust.witness import Quorum
from node.cli.directory_entries import SCOPES, counted, sentence, short
from node.cli.output import clock, columns
from node.use_cases.directory_view import PartyView, Span, WitnessLine, entries_of, spans
from node.use_cases.verified_log import Author, DirectoryView, EntryView, Role

ValueType = TypeVar("ValueType")

STATUSES: Final = {
    Status.PILOT: "pilot: it tries this out, and can be asked",
    Status.ACTIVE: "active",
    Status.SUSPENDED: "suspended: nothing is exchanged with it",
    Status.WITHDRAWN: "withdrawn: it has left",
}
_ROLES: Final = {
    Role.FOUNDER: "a founder",
    Role.LOG: "the log key",
    Role.PARTY: "the Party key of",
    Role.NEXT: "the next Party key of",
    Role.UNKNOWN: "a key that nobody knows",
}


def head_lines(view: DirectoryView) -> Iterator[str]:
    """What the view stands on, so that it can be compared with another one."""
    yield f"Directory of {view.roster.genesis.domain}: {counted(len(view.entries), 'entry', 'entries')}, {seen_words(view)}"
    yield f"Root      {view.root.hex()}"
    yield f"Witnesses {quorum_words(view.quorum)}"
    refused = len(view.refused)
    if refused:
        breaking = counted(refused, "entry breaks", "entries break")
        yield f"ALARM     {breaking} a rule and changed nothing: `gsp directory log` shows which"


def seen_words(view: DirectoryView) -> str:
    """The date of a view: what witnesses vouch for."""
    return f"seen by witnesses on {clock(view.time)}" if view.time is not None else "no witness vouches for a time"


def quorum_words(quorum: Quorum) -> str:
    """Who stands under a checkpoint, and whether they are enough."""
    if quorum.by_founders:
        return f"{counted(quorum.founders, 'founder', 'founders')} cosigned in the place of the witnesses"
    if quorum.of == 0:
        return "none on duty: the log key alone vouches for this directory"
    verdict = "enough" if quorum.reached else "not enough yet"
    return f"{len(quorum.witnesses)} of {quorum.of} on duty cosigned, {quorum.needed} have to: {verdict}"


def show_lines(view: DirectoryView, parties: Sequence[PartyView], invited: Sequence[Enrolment], *, now: float) -> Iterator[str]:
    """All Parties, one line each."""
    yield from head_lines(view)
    yield ""
    head = ("PARTY", "NAME", "STATUS", "ANSWERED BY", "NODE", "CONFIRMED BY", "WITNESS", "PATTERNS", "PROFILE")
    rows = [_row(one) for one in parties]
    rows += [(one.party, "-", invited_words(one, now=now), "-", "-", "-", "-", "-", "-") for one in invited]
    yield from columns([head, *rows]) if rows else ["No Party has been admitted."]


def _row(one: PartyView) -> tuple[str, ...]:
    record, update = one.record, one.record.update
    status = str(record.status) if one.confirmed or record.withdrawn else f"{record.status}, unconfirmed"
    return (
        one.party,
        record.name,
        status,
        one.answered_by or "nobody",
        record.node.endpoint if record.node is not None else "-",
        str(len(record.confirmed_by)),
        _witness_word(one),
        str(update.pattern_set_version) if update is not None and update.pattern_set_version else "-",
        str(update.profile_version) if update is not None and update.profile_version else "-",
    )


def _witness_word(one: PartyView) -> str:
    if one.duty is None:
        return "-"
    return ("cosigned" if one.cosigned else "on duty") if one.counts else "waits"


def invited_words(one: Enrolment, *, now: float) -> str:
    """How far a Party is that the directory does not list yet."""
    if one.acceptance is not None:
        return f"invited: waits for founders, {len(one.founder_signatures)} signed"
    if one.admit_body:
        return "invited: waits for the Party to accept"
    return "invited" if now <= one.expires else "invited: the code has expired"


def party_lines(one: PartyView, roster: Roster) -> Iterator[str]:
    """Everything that stands of one Party."""
    record, update, node = one.record, one.record.update, one.record.node
    reason = f" ({record.suspended})" if record.suspended else ""
    yield f"Party      {record.name} ({one.party}){', a region' if update is not None and update.region else ''}"
    yield f"Status     {STATUSES[record.status]}{reason}"
    yield f"Admitted   {clock(record.admit.created)}, entry {record.admit_index}; {_confirmed_words(one, roster)}"
    yield f"Read aloud {one.fingerprint}"
    yield f"Party key  {record.party_key.hex() if record.party_key is not None else 'revoked: none stands'}"
    yield f"CAs        {counted(len(record.standing_cas), 'stands', 'stand')}: {_ca_words(one)}"
    if node is not None:
        yield f"Node       {node.node.dns} at {node.endpoint}"
        yield f"           key {node.signing_key.hex()}"
        yield f"           suites {', '.join(map(str, node.suites))}; refuses below {node.min_suite}"
    else:
        yield "Node       none"
    yield f"Answers    {_answers_words(one)}"
    yield f"Witness    {_duty_words(one)}"
    yield from _said_lines(update)
    yield from (
        f"Mandate    {each.region} {SCOPES[each.scope]} {each.member} until {clock(each.not_after)}" for each in one.mandates
    )
    if one.recovery is not None:
        yield f"Recovery   {recovery_words(one.recovery, roster)}"


def _confirmed_words(one: PartyView, roster: Roster) -> str:
    by = f"confirmed by {', '.join(sorted(one.record.confirmed_by))}" if one.record.confirmed_by else "confirmed by nobody"
    return (
        by if one.confirmed else f"{by}: UNCONFIRMED, {counted(roster.governance.confirmations, 'Party has', 'Parties have')} to"
    )


def _ca_words(one: PartyView) -> str:
    standing = [ca for ca in one.record.cas if ca.der in one.record.standing_cas]
    return ", ".join(short(ca.key_hash) for ca in standing) or "none"


def _answers_words(one: PartyView) -> str:
    if one.answered_by is None:
        return "nobody answers for it"
    return "by itself" if one.answered_by == one.party else f"{one.answered_by} answers for it"


def _duty_words(one: PartyView) -> str:
    if one.duty is None:
        return "not on duty"
    since = "since the first entry" if one.duty.index <= 0 else f"since entry {one.duty.index}"
    counts = "counts" if one.counts else "does not count yet"
    return f"on duty {since}; {counts}; {'cosigned' if one.cosigned else 'has not cosigned'} the newest checkpoint"


def _said_lines(update: Update | None) -> Iterator[str]:
    if update is None:
        yield "Says       nothing of itself yet"
        return
    yield f"Patterns   {_pin_words(update.pattern_set_version, update.pattern_set_digest)}"
    yield f"Profile    {_pin_words(update.profile_version, update.profile_digest)}"
    yield from (f"Authority  {one.kind}: {one.name}" for one in update.authorities)
    yield from (f"Contact    {one.name}, {one.address}" for one in update.contacts)
    yield from (f"Administrator ({one.kind}) {one.name}, {one.address}" for one in update.administrators)


def _pin_words(version: int, digest: bytes) -> str:
    return f"version {version}, SHA-256 {digest.hex()}" if version else "none"


def recovery_words(recovery: Recovery, roster: Roster) -> str:
    """Where a recovery stands, and what stops it."""
    begins = f"entry {recovery.index} gives it new keys ({recovery.body.reason})"
    if recovery.stopped:
        return f"{begins}; vetoed: two thirds of the other Parties could override"
    if recovery.seen_at is None:
        return f"{begins}; the waiting time begins when witnesses have seen it; its next Party key can veto"
    return f"{begins} on {clock(recovery.seen_at + roster.governance.recovery_wait_s)}, unless its next Party key vetoes"


def history_lines(view: DirectoryView, one: PartyView) -> Iterator[str]:
    """What stood of a Party before, and every entry about it."""
    yield ""
    yield "Contact points, the former ones too"
    yield from _span_rows(spans(view, one.party, lambda update: update.contacts), _contact_words)
    yield "Administrators, the former ones too"
    yield from _span_rows(spans(view, one.party, lambda update: update.administrators), _administrator_words)
    yield "Entries"
    yield from log_lines(entries_of(view, party=one.party))


def _span_rows(found: Iterable[Span[ValueType]], words: Callable[[ValueType], str]) -> Iterator[str]:
    rows = [
        (f"  {clock(one.since)}", f"- {clock(one.until) if one.until is not None else 'now'}", words(one.value)) for one in found
    ]
    yield from columns(rows) if rows else ["  none"]


def _contact_words(one: Contact) -> str:
    return f"{one.name}, {one.address}"


def _administrator_words(one: Administrator) -> str:
    return f"{one.kind}: {one.name}, {one.address}"


def log_lines(entries: Iterable[EntryView]) -> list[str]:
    """Entries in words, one line each; one that was refused says why."""
    rows = [
        (
            str(one.index),
            str(one.kind or "unknown"),
            clock(one.body.created) if one.body is not None else "-",
            entry_words(one),
            f"signed by {author_words(one.authors)}",
        )
        for one in entries
    ]
    return columns(rows) if rows else ["No such entry."]


def entry_words(one: EntryView) -> str:
    """What an entry says, and whether it was accepted."""
    said = sentence(one.body) if one.body is not None else "it cannot be read"
    return f"REFUSED, it changed nothing: {one.refused} ({said})" if one.refused else said


def author_words(authors: Sequence[Author]) -> str:
    """Who signed, founders counted."""
    found = Counter(_author_words(one) for one in authors)
    return ", ".join(words if number == 1 else f"{number} x {words}" for words, number in found.items()) or "nobody"


def _author_words(one: Author) -> str:
    if one.role is Role.UNKNOWN:
        return f"{_ROLES[one.role]} ({short(one.public_key)})"
    return f"{_ROLES[one.role]} {one.party}" if one.party is not None else _ROLES[one.role]


def witness_rows(view: DirectoryView, lines: Sequence[WitnessLine]) -> Iterator[str]:
    """Who is on duty, and who stands under the newest checkpoint."""
    yield from head_lines(view)
    wait = view.roster.governance.witness_wait_s // 86_400
    if not lines:
        yield "No Party is on witness duty: the founders put some on it."
        return
    yield f"A new witness counts {wait} days after the first cosigned checkpoint that holds its duty."
    yield ""
    head = ("PARTY", "NAME", "ON DUTY SINCE", "COUNTS", "COSIGNED THE NEWEST CHECKPOINT")
    yield from columns([head, *(_witness_row(one) for one in lines)])


def _witness_row(one: WitnessLine) -> tuple[str, ...]:
    counts_from = (
        f"from {clock(one.counts_from)}" if one.counts_from is not None else "not yet: no checkpoint tells when it began"
    )
    return (
        one.party,
        one.name,
        "the first entry" if one.duty.index <= 0 else f"entry {one.duty.index}",
        "yes" if one.counts else counts_from,
        f"yes, at {clock(one.cosigned_at)}" if one.cosigned_at is not None else "no",
    )


def verdict_lines(view: DirectoryView) -> Iterator[str]:
    """What was verified."""
    yield "The log holds, from its first entry to its checkpoint."
    yield from head_lines(view)
    yield f"Log key   {view.log_key.hex()}"
    kinds = Counter(str(one.kind or "unknown") for one in view.entries)
    yield f"Entries   {', '.join(f'{number} {kind}' for kind, number in kinds.items())}"
    yield from (f"          number {one.index}: {entry_words(one)}" for one in view.refused)
