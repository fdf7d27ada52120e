"""Witnesses: whose cosignatures under a checkpoint count, how many are needed, and at what time they saw it.

Theory of operation. The log key alone could show different directories to different Parties. So Parties' nodes cosign: each only
what continues the last checkpoint that it cosigned. A checkpoint is accepted when more than two thirds of the witnesses on duty
*in the checkpoint accepted before* stand under it; of up to three, all of them. So nobody gains a quorum by admitting many Parties
at once: whom a new checkpoint puts on duty has no say about that checkpoint, and none before the waiting time is over.

The founders may stand in for the quorum: enough of them under one checkpoint, each with the own key, by hand. It is the way out
when witnesses are lost for good, and nothing else: they tell no time, because the time that a recovery waits is there to protect
a Party from them (docs/adr/0012-the-logs-own-clock.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median_low

from federation.errors import Unauthentic
from federation.identity import PartyId
from federation.trust import note
from federation.trust.entries import Genesis, NodeEntry
from federation.trust.note import Checkpoint, KeyKind, Note, NoteKey, NoteSignature, Verified
from federation.trust.roster import LogKey, Roster

SMALL_QUORUM = 3
"""Of so many witnesses all have to cosign: of three, two could be one dishonest one and one that was shown something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quorum:
    """What stands under one checkpoint.

    Attributes:
        witnesses: Parties whose cosignature counts and stands there.
        of: how many witnesses count.
        needed: how many of them are enough.
        founders: founders whose cosignature stands there.
        by_founders: whether the founders stand in for the quorum.
        time: when the witnesses saw the checkpoint, in Unix seconds: the middle one of their times; None when none cosigned.
    """

    witnesses: tuple[PartyId, ...]
    of: int
    needed: int
    founders: int
    by_founders: bool
    time: int | None

    @property
    def reached(self) -> bool:
        """Whether the checkpoint may be accepted. With no witness on duty the log key's signature is all there is."""
        return self.by_founders or len(self.witnesses) >= self.needed

    @property
    def tells_time(self) -> bool:
        """Whether the time may be believed: enough witnesses, and one at least, have to vouch for it."""
        return len(self.witnesses) >= max(1, self.needed)


def quorum_of(witnesses: int) -> int:
    """How many of so many witnesses are enough."""
    return witnesses if witnesses <= SMALL_QUORUM else 2 * witnesses // 3 + 1


def counting_witnesses(roster: Roster) -> dict[PartyId, NodeEntry]:
    """The nodes whose cosignatures count now, by Party: on duty, past the waiting time, and not suspended or gone."""
    return {party: node for party in roster.duties if counts(roster, party) and (node := roster.parties[party].node) is not None}


def counts(roster: Roster, party: PartyId) -> bool:
    """Whether a Party on duty has a say: those whom nobody preceded at once, the others after the waiting time."""
    record, duty = roster.parties.get(party), roster.duties[party]
    if record is None or not record.exchanges:
        return False
    if duty.at_once:
        return True
    return duty.seen_at is not None and roster.witnessed_at - duty.seen_at >= roster.governance.witness_wait_s


def read_statement(raw: bytes, *, origin: str, keys: Sequence[LogKey]) -> tuple[Checkpoint, tuple[Verified, ...]]:
    """Read a checkpoint that the log signed with the key that it had at that size. Cosignatures have no say here.

    Raises:
        Unauthentic: signed by another key, or about another log.
        Malformed: no checkpoint.
    """
    parsed = note.parse_note(raw)
    checkpoint = note.parse_checkpoint(parsed.text)
    named = [NoteKey(name=origin, public_key=key.public_key) for key in keys if key.signs(checkpoint.size)]
    verified = note.verify_note(parsed, named)
    if checkpoint.origin != origin:
        raise Unauthentic("the checkpoint is about another log")
    return checkpoint, verified


def witness_key(node: NodeEntry) -> NoteKey:
    """The key with which a Party's node cosigns, under the node's DNS name."""
    return NoteKey(name=node.node.dns, public_key=node.signing_key, kind=KeyKind.COSIGNATURE)


def founder_name(genesis: Genesis) -> str:
    """The name under which founders cosign; their keys tell them apart."""
    return founder_name_of(genesis.origin)


def founder_name_of(origin: str) -> str:
    """The same from the first line of a checkpoint: a founder has no directory at hand."""
    return f"{origin}/founder"


def founder_key(genesis: Genesis, public_key: bytes) -> NoteKey:
    """The key with which a founder cosigns."""
    return NoteKey(name=founder_name(genesis), public_key=public_key, kind=KeyKind.COSIGNATURE)


def weigh(roster: Roster, parsed: Note, *, later: Roster | None = None) -> Quorum:
    """Weigh the cosignatures under a checkpoint.

    Args:
        roster: as it was accepted *before* the checkpoint: its witnesses and founders are those that count.
        parsed: the checkpoint. That the log signed it is not checked here.
        later: the roster at the checkpoint, when there is one. A witness may have changed its key since, by its own entry; nobody
            else can, so it says who the key belongs to and nothing about who counts.
    """
    counting = counting_witnesses(roster)
    nodes = [(party, node) for party, node in counting.items() if later is None or not _revoked(later, party, node)]
    if later is not None:
        nodes += [(party, node) for party in counting if (node := later.parties[party].node) is not None]
    by_key = {node.signing_key: party for party, node in nodes}
    times: dict[PartyId, int] = {}
    for _, one in verified_lines(parsed, {witness_key(node) for _, node in nodes}):
        if one.time is not None:
            times.setdefault(by_key[one.public_key], one.time)
    standing = roster.governance.founders
    founders = len(list(verified_lines(parsed, (founder_key(roster.genesis, key) for key in standing))))
    return Quorum(
        witnesses=tuple(sorted(times)),
        of=len(counting),
        needed=quorum_of(len(counting)),
        founders=founders,
        by_founders=founders >= roster.governance.founders_threshold,
        time=median_low(times.values()) if times else None,
    )


def _revoked(later: Roster, party: PartyId, node: NodeEntry) -> bool:
    return node.signing_key in later.parties[party].revoked


def verified_lines(parsed: Note, keys: Iterable[NoteKey]) -> Iterator[tuple[NoteSignature, Verified]]:
    """The signature lines under which one of the keys stands, the first true one of each key.

    Everything else is passed over: what somebody on the way added must not make the true ones worthless.
    """
    known: defaultdict[tuple[str, bytes], list[NoteKey]] = defaultdict(list)
    for key in keys:
        known[key.name, key.key_id].append(key)
    for line in parsed.signatures:
        candidates = known.get((line.name, line.key_id))
        if not candidates:
            continue
        try:
            (verified,) = note.verify_note(Note(text=parsed.text, signatures=(line,)), candidates)
        except Unauthentic:
            continue
        candidates[:] = [key for key in candidates if key.public_key != verified.public_key]
        yield line, verified


def waits_for_time(roster: Roster, time: int) -> bool:
    """Whether the log has to be told that it is `time` by now: something was never seen, or has waited long enough by then."""
    governance = roster.governance
    duties = [(one.seen_at, governance.witness_wait_s) for one in roster.duties.values() if not one.at_once]
    recoveries = [(one.seen_at, governance.recovery_wait_s) for one in roster.recoveries if not one.stopped]
    unseen = [one for one in roster.recoveries if one.seen_at is None]
    return bool(unseen) or any(_is_over(seen_at, wait_s, roster.witnessed_at, time) for seen_at, wait_s in (*duties, *recoveries))


def _is_over(seen_at: int | None, wait_s: int, told: int, time: int) -> bool:
    """Whether a waiting time begins or ends between the time that the log was told and now."""
    return seen_at is None or told - seen_at < wait_s <= time - seen_at
