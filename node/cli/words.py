"""The same values in plain words, as lines of text.

What could not be reached is never worded like what does not exist; an item that is not given says why not; a code's own facts are
told apart from what a Party said over its signature.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from federation.envelope.attachment import Attachment
from federation.ports import AskedQuery, ReceivedQuery
from federation.query.answer import Answer, CodeResult, LastKnown
from federation.query.codes import Outcome, Refusal
from federation.query.items import TITLES, Item, ItemAnswer, ItemState, Record
from federation.query.lifecycle import AskedState, ReceivedState
from federation.query.query import Query
from federation.uim.confusable import Change, Suggestion
from federation.uim.library import NearMiss
from federation.uim.matcher import Fault
from node.cli.output import clock, columns
from node.cli.why_words import SHORT, WAITS, next_words, problem_words, summary
from node.use_cases.desk_values import AnswerView, InboxView, Membership, QueryView, RankedParty, Resolution, Standing
from node.use_cases.pattern_sets import SetState

WIDTH: Final = 100
"""Columns: what fits a terminal that nobody has enlarged, and still a table."""

MEMBERSHIPS: Final = {
    Membership.PARTY: "is a Party",
    Membership.NOT_A_PARTY: "is not a Party: it cannot be asked here",
    Membership.NO_NODE: "is a Party, and nobody answers for it yet",
    Membership.OWN: "is your own Party: look in your own system",
    Membership.UNKNOWN: "may be a Party: there is no directory here to say",
}

STANDINGS: Final = {
    Standing.PILOT: "is a pilot: it tries this out, and can be asked",
    Standing.SUSPENDED: "is suspended: nothing is exchanged with it",
    Standing.WITHDRAWN: "was a Party and has left",
    Standing.UNCONFIRMED: "is unconfirmed: too few other Parties have vouched for its keys",
}

OUTCOMES: Final = {
    Outcome.FOUND: "found",
    Outcome.NEVER_ISSUED: "never issued: the Party says that it issued no such code",
    Outcome.NOT_OURS: "not a code of this Party",
    Outcome.REFUSED: "refused",
}

REFUSALS: Final = {
    Refusal.NEEDS_JUSTIFICATION: "a better justification is needed",
    Refusal.NOT_AUTHORISED_BY_DOMESTIC_LAW: "domestic law does not authorise it",
    Refusal.NEEDS_MUTUAL_LEGAL_ASSISTANCE: "it needs a request for mutual legal assistance",
    Refusal.ONGOING_INVESTIGATION: "it would endanger an investigation",
    Refusal.NATIONAL_SECURITY: "national security",
    Refusal.DISPROPORTIONATE_VOLUME: "too many codes at once",
    Refusal.HANDLING_CONDITIONS_NOT_ACCEPTABLE: "the handling conditions are not acceptable",
    Refusal.HELD_BY_ANOTHER_AUTHORITY: "another authority holds it",
    Refusal.SYSTEM_DOWN: "the national system is down; ask again later",
    Refusal.LANGUAGE: "the language of the query",
}

STATES: Final = {
    ItemState.PROVIDED: "provided",
    ItemState.NOT_HELD: "not held",
    ItemState.NOT_RECORDED_YET: "not recorded yet",
    ItemState.NOT_APPLICABLE: "not applicable",
    ItemState.WITHHELD_LEGAL: "withheld: domestic law",
    ItemState.WITHHELD_INVESTIGATION: "withheld: an investigation",
    ItemState.NEEDS_ARTICLE_21_OR_28: "needs a request under Article 21 or 28",
    ItemState.NEEDS_MUTUAL_LEGAL_ASSISTANCE: "needs mutual legal assistance",
    ItemState.OUT_OF_RETENTION: "out of retention",
    ItemState.UNDER_ENQUIRY: "under enquiry",
    ItemState.NOT_ASKED: "not asked",
}


def resolution_lines(resolution: Resolution) -> Iterator[str]:
    """A scan, and who may be able to answer."""
    yield f"Code  {resolution.scan.keys[0].text}"
    if not resolution.parties:
        yield "No pattern knows this code. That does not mean that it is counterfeit: not every marking has been published."
    for number, ranked in enumerate(resolution.parties, 1):
        yield ""
        yield from _ranked(number, ranked)


def _ranked(number: int, ranked: RankedParty) -> Iterator[str]:
    candidate = ranked.candidate
    yield f"{number}. {party(candidate.party, ranked.party_name)} {MEMBERSHIPS[ranked.membership]}"
    if ranked.responder is not None and ranked.responder != candidate.party:
        yield f"   answered for by {party(ranked.responder, ranked.responder_name)}"
    yield from (f"   note      {line}" for line in standing_lines(ranked))
    sure = "the code names its issuer" if candidate.names_issuer else "several Parties use this shape: a guess"
    if ranked.responder is None and candidate.answered_by != candidate.party:
        yield f"   answers   {candidate.answered_by} answers for {candidate.party}, the pattern says"
    yield f"   ask for   {candidate.key.text}"
    yield f"   because   {sure}; pattern {candidate.pattern_id} ({candidate.label}), score {candidate.score}"
    yield from (f"             {reason.points:+d} {reason.words}" for reason in candidate.reasons)
    yield from (f"   code says ({fact.item}) {fact.name} {fact.value}" for fact in candidate.facts)


def standing_lines(ranked: RankedParty) -> Iterator[str]:
    """What an officer should know of whom this would go to."""
    yield from (f"{party(ranked.candidate.party, ranked.party_name)} {STANDINGS[one]}" for one in sorted(ranked.standing))
    if ranked.responder is not None:
        told = (STANDINGS[one] for one in sorted(ranked.responder_standing))
        yield from (f"{party(ranked.responder, ranked.responder_name)} {words}" for words in told)


CHANGES: Final = {
    Change.CONFUSED: "characters that look alike",
    Change.SWAPPED: "two characters the other way round",
    Change.MISSING: "one character more",
    Change.DOUBLED: "one character less",
}


def suggestion_lines(suggestions: Sequence[Suggestion]) -> Iterator[str]:
    """Spellings that may have been meant; nothing was put in the place of anything."""
    if not suggestions:
        yield "No similar code fits a pattern that tells anything."
        return
    yield "Was the code typed? These similar codes fit a pattern. Each is a guess that only its Party can confirm:"
    yield from (f"   {one.key.text}   {one.party} {one.pattern_id}: {CHANGES[one.change]}" for one in suggestions)
    yield "   to ask only whether one is known: `gsp ask CODE --items none`"


SET_STATES: Final = {
    SetState.IN_USE: "in use",
    SetState.OLDER_IN_USE: "an older version is in use",
    SetState.MISSING: "missing",
    SetState.QUARANTINED: "in quarantine",
    SetState.REFERENCE: "publishes none; what comes with the program is used",
    SetState.NONE: "publishes none",
}

FAULTS: Final = {
    Fault.LENGTH: "has a wrong length",
    Fault.TEXT: "is not the fixed text",
    Fault.CHARACTER: "has a character that may not stand there",
    Fault.CHECK: "has a check character that does not hold",
    Fault.DATE: "is no date of the calendar",
}


def near_miss_words(miss: NearMiss) -> str:
    """A pattern that almost fits, and where it stops."""
    return f"{miss.party} {miss.pattern_id}: {miss.segment or 'the code'} {FAULTS[miss.fault]}"


def asked_table(page: Sequence[AskedQuery]) -> list[str]:
    """The list of asked queries."""
    head = ("ID", "PARTY", "CODES", "ASKED", "DEADLINE", "REFERENCE", "STATE")
    rows = [
        (
            asked.message_id.hex(),
            asked.peer,
            str(asked.codes),
            clock(asked.created),
            clock(asked.deadline),
            asked.reference or "-",
            asked_state(asked),
        )
        for asked in page
    ]
    return columns([head, *rows]) if rows else ["Nothing was asked."]


def received_table(page: Sequence[ReceivedQuery]) -> list[str]:
    """The list of received queries."""
    head = ("ID", "PARTY", "CODES", "RECEIVED", "DEADLINE", "STATE")
    rows = [
        (
            received.message_id.hex(),
            received.peer,
            str(received.codes),
            clock(received.received),
            clock(received.deadline),
            received_state(received),
        )
        for received in page
    ]
    return columns([head, *rows]) if rows else ["Nothing was received."]


def asked_state(asked: AskedQuery) -> str:
    """Where an asked query stands, with the reason when it does not move."""
    trouble = f": {problem_words(asked.problem)}" if asked.problem else ""
    match asked.state:
        case AskedState.QUEUED:
            return f"waits to be sent{trouble}"
        case AskedState.DELIVERED:
            return "answered in part" if asked.answer_ids else "delivered, no answer yet"
        case AskedState.ANSWERED:
            return "answered"
        case AskedState.EXPIRED:
            return f"expired without an answer{trouble}"


def received_state(received: ReceivedQuery) -> str:
    """Where a received query stands."""
    return "waits for an answer" if received.state is ReceivedState.WAITING else str(received.state)


def query_view_lines(view: QueryView, *, now: float) -> Iterator[str]:
    """An asked query with all its answers; while there is no final one, with the same words as `gsp why`."""
    asked = view.asked
    yield f"Query     {asked.message_id.hex()} to {party(asked.peer, view.peer_name)}"
    yield from _notes(view)
    yield f"State     {SHORT[view.why.situation] if view.why is not None else asked_state(asked)}"
    if view.why is not None:
        yield f"In short  {summary(view.why, now=now)}"
        yield f"Waits     {WAITS[view.why.situation]}"
        yield f"Next      {next_words(view.why, now=now)}"
    if view.directory_stale:
        yield "Directory this node's has stood still for more than a week: what it says of that Party may be old (`gsp doctor`)"
    if view.outgoing is not None and view.outgoing.held_since:
        yield f"Refused   by their node on {clock(view.outgoing.held_since)}: {view.outgoing.reason}"
        yield "          `gsp outbox retry` sends it once more, `gsp outbox drop` gives it up"
    yield f"Asked     {clock(asked.created)} by officer {asked.officer_id}; answer wanted by {clock(asked.deadline)}"
    yield from query_lines(view.query)
    for answer in view.answers:
        yield ""
        yield from _answer_view(answer, view.peer_name)


def inbox_view_lines(view: InboxView) -> Iterator[str]:
    """A received query with the draft of its answer."""
    received = view.received
    yield f"Query     {received.message_id.hex()} from {party(received.peer, view.peer_name)}"
    yield from _notes(view)
    yield f"State     {received_state(received)}"
    yield f"Received  {clock(received.received)} from officer {received.officer_id}; answer wanted by {clock(received.deadline)}"
    yield from query_lines(view.query)
    if received.answer_id is None:
        yield ""
        yield f"Draft     from your own records; not sent. The policy says: {view.automation}"
        yield from answer_lines(view.draft)


def _notes(view: QueryView | InboxView) -> Iterator[str]:
    """What the officer should know of the other Party."""
    yield from (f"          which {STANDINGS[one]}" for one in sorted(view.peer_standing))


def query_lines(query: Query) -> Iterator[str]:
    """What was asked and why."""
    yield f"Codes     {len(query.codes)}: {_shortened(code.key for code in query.codes)}"
    yield f"Items     {_letters(query.items)}"
    yield f"Purpose   {query.purpose}, Article {query.legal_basis}; {query.urgency}; handling {query.handling}"
    if query.reference:
        yield f"Reference {query.reference}"
    if query.market_statement:
        yield from wrapped("Pack says ", query.market_statement)
    yield from wrapped("Necessity ", query.necessity)
    yield from _attached(query.attachments)


def _attached(attached: Sequence[Attachment]) -> Iterator[str]:
    """Which files go with a message; how far they are is for `gsp attachments`."""
    yield from (f"Attached  {one.facts.name}, {one.facts.size} bytes" for one in attached)


def _answer_view(view: AnswerView, peer_name: str) -> Iterator[str]:
    author = f"officer {view.officer_id}" if view.officer_id is not None else "the Party's policy"
    yield f"Answer    {view.message_id.hex()} of {party(view.sender, peer_name)}, signed; {clock(view.received)}, by {author}"
    yield from answer_lines(view.answer)


def answer_lines(answer: Answer) -> Iterator[str]:
    """What a Party says, code by code and item by item."""
    more = "final" if answer.final else "more will follow"
    yield f"          {answer.automation}; {more}; handling {answer.handling}"
    if answer.industry_consulted:
        yield "          the answering authority had to ask the industry (Articles 8.12 and 8.13)"
    if answer.text:
        yield from wrapped("Text      ", answer.text)
    yield from _attached(answer.attachments)
    for result in answer.results:
        yield ""
        yield from _result(result)


def _result(result: CodeResult) -> Iterator[str]:
    reason = f": {REFUSALS[result.refusal]}" if result.refusal is not None else ""
    yield f"Code      {result.key}"
    yield f"          {OUTCOMES[result.outcome]}{reason}"
    if result.status:
        yield f"          status: {', '.join(sorted(result.status))}"
    if result.last_known is not None:
        yield f"          last known: {last_known_words(result.last_known)}"
    if result.complete_as_of is not None:
        yield f"          complete as of {clock(result.complete_as_of)}"
    for item in result.items:
        yield from _item(item)


def last_known_words(known: LastKnown) -> str:
    """Where and when a code was seen last."""
    place = ", ".join(part for part in (known.place, known.country) if part) or "place not told"
    return f"{clock(known.time)}, {place}, {known.event}{' (announced, not confirmed)' if known.planned else ''}"


def _item(item: ItemAnswer) -> Iterator[str]:
    title = TITLES[item.item].partition(":")[0]
    if item.state is not ItemState.PROVIDED:
        yield f"  ({item.item}) {title}: {STATES[item.state]}"
        return
    yield f"  ({item.item}) {title}:"
    for record in item.records:
        yield from wrapped("        ", _record(record))


def _record(record: Record) -> str:
    fields = "; ".join(f"{field.name} {field.value}" for field in record.fields)
    return f"{fields} (announced, not confirmed)" if record.planned else fields


def party(code: str, name: str) -> str:
    """A Party in words with its code."""
    return f"{name} ({code})" if name else code


def wrapped(head: str, text: str) -> list[str]:
    """Text of any length behind a head, in lines of bounded width."""
    lines = [line for part in text.splitlines() for line in textwrap.wrap(part, WIDTH - len(head)) or [""]]
    return [f"{head if number == 0 else ' ' * len(head)}{line}" for number, line in enumerate(lines)]


def _letters(items: Iterable[Item]) -> str:
    letters = sorted(items)
    if not letters:
        return "none: only whether the code is known"
    return "all" if len(letters) == len(Item) else ", ".join(letters)


def _shortened(texts: Iterable[str]) -> str:
    """The first few; all of them stand in the results."""
    first = list(texts)
    return ", ".join(first[:3]) + (", ..." if len(first) > 3 else "")
