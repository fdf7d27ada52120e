"""What the directory says that an administrator should know of: witnesses, recoveries, the own entry. A part of `gsp doctor`."""

from __future__ import annotations

from datetime import UTC, datetime

from federation.boundary.directory import Replica
from federation.identity import PartyId
from federation.trust import note, witness
from federation.trust.roster import Recovery, Roster
from node.use_cases.announcing import Particulars, wanted_update
from node.use_cases.desk_values import Check, Health


def directory_checks(replica: Replica, own: PartyId, says: Particulars | None, *, now: float) -> tuple[Check, ...]:
    """Everything to be looked at, from the accepted directory alone.

    Args:
        replica: the directory.
        own: this Party.
        says: what its settings say of it; None where there are no settings.
        now: Unix seconds.
    """
    roster = replica.roster
    return (
        _witnesses(replica),
        _recoveries(roster, own),
        _confirmation(roster, own),
        _suspended(roster, own),
        *((_settings(roster, own, says, now=now),) if says is not None and own in roster.parties else ()),
    )


def _witnesses(replica: Replica) -> Check:
    name = "witnesses"
    quorum = witness.weigh(replica.roster, note.parse_note(replica.note))
    if quorum.by_founders:
        words = "founders cosigned the newest checkpoint in the place of the witnesses"
        return Check(name=name, health=Health.WARNING, words=words, hint="ask the founders what became of the witnesses")
    if quorum.of == 0:
        hint = "ask the founders to put Parties' nodes on witness duty"
        return Check(
            name=name, health=Health.WARNING, words="none on duty: only the log key vouches for the directory", hint=hint
        )
    words = f"{len(quorum.witnesses)} of {quorum.of} cosigned the newest checkpoint; {quorum.needed} have to"
    if quorum.reached:
        return Check(name=name, health=Health.GOOD, words=words)
    hint = "wait for the others; when they stay away, ask them by telephone whether they see the same directory"
    return Check(name=name, health=Health.WARNING, words=words, hint=hint)


def _recoveries(roster: Roster, own: PartyId) -> Check:
    """A recovery that the Party did not ask for is somebody else taking its name, and time is short."""
    name = "recoveries"
    ours = next((one for one in roster.recoveries if one.body.party == own), None)
    if ours is not None and not ours.stopped:
        return Check(
            name=name,
            health=Health.BAD,
            words=f"entry {ours.index} gives this Party new keys {_when(ours, roster)}: {ours.body.reason}",
            hint="if this Party did not ask for it, veto it with the next Party key, from its paper in the safe, before that day",
        )
    waiting = ", ".join(f"{one.body.party} {_state(one, roster)} (entry {one.index})" for one in roster.recoveries)
    if not waiting:
        return Check(name=name, health=Health.GOOD, words="no Party is being given new keys")
    hint = "ask that Party by telephone whether it wants this"
    return Check(name=name, health=Health.WARNING, words=f"new keys wait for {waiting}", hint=hint)


def _state(one: Recovery, roster: Roster) -> str:
    return "vetoed" if one.stopped else _when(one, roster)


def _when(one: Recovery, roster: Roster) -> str:
    """From when on a recovery can take effect: the first checkpoint after that time does it."""
    if one.seen_at is None:
        return "when witnesses have seen it and the waiting time is over"
    day = datetime.fromtimestamp(one.seen_at + roster.governance.recovery_wait_s, tz=UTC)
    return f"on {day:%Y-%m-%d %H:%M} UTC"


def _confirmation(roster: Roster, own: PartyId) -> Check:
    name = "own confirmation"
    needed = roster.governance.confirmations
    if own not in roster.parties or roster.is_confirmed(own):
        return Check(name=name, health=Health.GOOD, words="others may ask this Party without a word")
    by = roster.party(own).confirmed_by
    return Check(
        name=name,
        health=Health.WARNING,
        words=f"{len(by)} of {needed} Parties have confirmed this Party's keys; until then it is shown as unconfirmed",
        hint="ask other Parties' administrators to compare the fingerprint by telephone and to confirm it",
    )


def _suspended(roster: Roster, own: PartyId) -> Check:
    name = "suspended Parties"
    suspended = {party: record.suspended for party, record in roster.parties.items() if record.suspended is not None}
    if own in suspended:
        hint = "write to the Secretariat; nothing is exchanged until the founders reinstate this Party"
        return Check(name=name, health=Health.BAD, words=f"this Party is suspended: {suspended[own]}", hint=hint)
    if not suspended:
        return Check(name=name, health=Health.GOOD, words="none")
    words = "; ".join(f"{party}: {reason}" for party, reason in sorted(suspended.items()))
    return Check(
        name=name, health=Health.WARNING, words=words, hint="nothing is exchanged with them until the founders reinstate them"
    )


def _settings(roster: Roster, own: PartyId, says: Particulars, *, now: float) -> Check:
    name = "own settings"
    if roster.party(own).withdrawn or wanted_update(roster, own, says, now=int(now)) is None:
        return Check(name=name, health=Health.GOOD, words="name, lists, pattern set and profile stand in the directory")
    return Check(
        name=name,
        health=Health.WARNING,
        words="the directory says something else of this Party than node.toml, its pattern set and its profile",
        hint="a running node brings it there by itself within a minute; else the log says why, or a region wrote it since",
    )
