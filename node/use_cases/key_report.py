"""Every key of this Party: what it is for, where it lies, how old it is, when it ends, and what happens next; and whose CAs end soon.

The same lines stand in `gsp keys show` and, as far as somebody has to act, in `gsp doctor`. Of other Parties only the ends of their CAs
are known here: both sides are told, because a CA that ends takes both sides' traffic with it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from federation import limits
from federation.errors import Conflict, FederationError
from federation.identity import PartyId
from federation.ports import DecryptionKey, KeyUse
from federation.trust.chain import Window, load_certificate, utc_text, window_of
from federation.trust.roster import LoggedCa, PartyRecord, Roster
from node.use_cases.desk_values import Check, Health, KeyLine, KeyPlace
from node.use_cases.officers import Officer
from node.use_cases.own_keys import HeldKey, OwnKeys, began_at

_ID_CHARACTERS: Final = 16
_ORDER: Final = tuple(Health)
_ROTATE_CA: Final = "make its successor with `gsp keys rotate ca`"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFacts:
    """The node's certificate of this moment.

    Attributes:
        problem: why no newer one can be made.
    """

    window: Window
    problem: FederationError | None = None


class KeyReport:
    """Knows every key of this Party without knowing any.

    Args:
        party: whose.
        roster: the accepted directory.
        own_keys: what is here.
        decryption_keys: prekeys and reply keys that are not destroyed; empty without the node's store.
        officers: this Party's; none without the node's store.
        tls: the certificate in use; None when the node does not run.
        now: Unix seconds.
    """

    def __init__(
        self,
        *,
        party: PartyId,
        roster: Callable[[], Roster],
        own_keys: OwnKeys,
        decryption_keys: Callable[[], Awaitable[Sequence[DecryptionKey]]],
        officers: Callable[[], Awaitable[Sequence[Officer]]],
        tls: Callable[[], TlsFacts | None],
        now: Callable[[], float],
    ) -> None:
        self._party = party
        self._roster = roster
        self._own_keys = own_keys
        self._decryption_keys = decryption_keys
        self._officers = officers
        self._tls = tls
        self._now = now

    async def lines(self) -> tuple[KeyLine, ...]:
        """Every key, the ones that end first by themselves at the top."""
        record = self._roster().parties.get(self._party)
        tls = self._tls()
        own = (*self._authorities(record), *self._party_keys(record), *self._signing(record)) if record is not None else ()
        return (
            *((_tls_line(tls),) if tls is not None else ()),
            *own,
            *self._unlisted(record),
            _storage_line(),
            *_decryption_lines(await self._decryption_keys()),
            *_officer_lines(await self._officers(), self._now()),
        )

    async def checks(self) -> tuple[Check, ...]:
        """What `gsp doctor` says of it: own keys, other Parties' CAs, the Secretariat's."""
        lines = [line for line in await self.lines() if line.place is not KeyPlace.MEMORY]
        return (_own_check(lines), self._peers_check(), self._secretariat_check())

    def _place(self, identifier: bytes) -> KeyPlace:
        found = next((key for key in self._own_keys.inventory if key.id == identifier), None)
        return found.place if found is not None else KeyPlace.ELSEWHERE

    def _authorities(self, record: PartyRecord) -> Iterable[KeyLine]:
        try:
            issuing = self._own_keys.ca().certificate
        except Conflict:
            issuing = b""
        newest = max((window_of(load_certificate(ca.der)).not_after for ca in _standing(record)), default=0)
        for ca in record.cas:
            yield self._authority(ca, record, issuing=issuing, newest=newest)

    def _authority(self, ca: LoggedCa, record: PartyRecord, *, issuing: bytes, newest: int) -> KeyLine:
        window = window_of(load_certificate(ca.der))
        health, words = Health.GOOD, ""
        if ca.key_hash in record.revoked:
            words = "was revoked; nothing that it signed counts"
        elif self._now() > window.not_after:
            words = "has ended" + ("" if window.not_after < newest else f"; {_ROTATE_CA}")
            health = Health.GOOD if window.not_after < newest else Health.BAD
        elif window.not_after < newest:
            words = (
                "the one before; what it signed counts until it ends" if ca.der != issuing else "issues until its successor does"
            )
        else:
            health, words = self._life(window, "issues certificates of nodes and officers", _ROTATE_CA)
            if ca.der != issuing:
                words = f"stands, and begins to issue on {utc_text(self._own_keys.counts_from(ca.der))}"
        return KeyLine(
            name="Party CA",
            id=_short(ca.key_hash),
            place=self._place(ca.key_hash),
            since=began_at(ca.der),
            ends=window.not_after,
            health=health,
            words=words,
        )

    def _life(self, window: Window, purpose: str, remedy: str) -> tuple[Health, str]:
        health = health_of(window, self._now())
        left = _left(window, self._now())
        if left > limits.LIFE_LEFT_NOTED:
            return health, f"{purpose}; {remedy} before {utc_text(_at_left(window, limits.LIFE_LEFT_WARNED))}"
        return health, f"{purpose}; {left:.0%} of its life is left: {remedy}"

    def _party_keys(self, record: PartyRecord) -> Iterable[KeyLine]:
        if record.party_key is None:
            yield _endless(
                "Party key", b"", KeyPlace.ELSEWHERE, Health.BAD, "was revoked: `gsp keys rotate party` puts the next one in"
            )
        else:
            since = record.admit.created if record.party_key == record.admit.party_key else 0
            words = "writes this Party's entries into the directory; `gsp keys rotate party` puts the next one in its place"
            place = self._place(record.party_key)
            health = Health.GOOD if place is not KeyPlace.ELSEWHERE else Health.WARNING
            yield _endless("Party key", record.party_key, place, health, words, since=since)
        words = "alone can replace the Party key, or veto a recovery; the directory knows its hash, nobody here knows it"
        yield _endless("next Party key", record.next_key_hash, KeyPlace.PAPER, Health.GOOD, words)

    def _signing(self, record: PartyRecord) -> Iterable[KeyLine]:
        listed = {one.entry.signing_key: one.entry for one in reversed(record.nodes)}
        for place, (key, entry) in enumerate(listed.items()):
            if key in record.revoked:
                words, health = "was revoked; nothing that it signed counts", Health.GOOD
            elif place > 0:
                words, health = "was replaced; what it signed before counts", Health.GOOD
            else:
                words = "signs envelopes, receipts, prekeys and the journal; change it with `gsp keys rotate signing`"
                health = Health.GOOD if self._place(key) is not KeyPlace.ELSEWHERE else Health.BAD
            yield _endless("signing key", key, self._place(key), health, words, since=entry.created)

    def _unlisted(self, record: PartyRecord | None) -> Iterable[KeyLine]:
        """Keys that were made and that the directory does not list: an interrupted change."""
        listed: set[bytes] = set()
        if record is not None:
            listed |= {one.key_hash for one in record.cas} | {one.entry.signing_key for one in record.nodes}
        used = self._roster().used  # former Party keys too
        for key in self._own_keys.inventory:
            known = key.id in listed or sha256(key.id).digest() in used
            if not known and not key.retired:
                yield _unlisted_line(key)

    def _peers_check(self) -> Check:
        ends = {
            party.upper(): _longest(record.standing_cas)
            for party, record in self._roster().parties.items()
            if party != self._party and record.standing_cas
        }
        hint = "tell their contact points: without a successor, nothing reaches that Party after the end"
        return self._ends_check("CAs of other Parties", ends, hint)

    def _secretariat_check(self) -> Check:
        governance = self._roster().governance
        ends = {"its node": _longest(governance.secretariat_cas), "issuing CA": _longest(governance.issuing_cas)}
        return self._ends_check("CAs of the Secretariat", ends, "tell the Secretariat: the founders sign the successor")

    def _ends_check(self, name: str, windows: dict[str, Window], hint: str) -> Check:
        now = self._now()
        near = {owner: one for owner, one in windows.items() if _left(one, now) <= limits.LIFE_LEFT_NOTED}
        if not near:
            return Check(name=name, health=Health.GOOD, words="none ends soon")
        words = ", ".join(f"{owner} {_end_words(one, now)}" for owner, one in sorted(near.items()))
        return Check(name=name, health=worst(health_of(one, now) for one in near.values()), words=words, hint=hint)


def health_of(window: Window, now: float) -> Health:
    """How urgent the end of something is: a quarter of its life is a warning, a tenth is an alarm."""
    left = _left(window, now)
    if left <= limits.LIFE_LEFT_ALARMED:
        return Health.BAD
    return Health.WARNING if left <= limits.LIFE_LEFT_WARNED else Health.GOOD


def worst(healths: Iterable[Health]) -> Health:
    """The most urgent of some; good when there is none."""
    return max(healths, key=_ORDER.index, default=Health.GOOD)


def _left(window: Window, now: float) -> float:
    """Which part of its life is left: 1 at the beginning, 0 and less after the end."""
    return (window.not_after - now) / max(1, window.not_after - window.not_before)


def _at_left(window: Window, left: float) -> float:
    return window.not_after - left * (window.not_after - window.not_before)


def _end_words(window: Window, now: float) -> str:
    left = _left(window, now)
    if left < 0:
        return f"ended on {utc_text(window.not_after)}"
    return f"ends on {utc_text(window.not_after)}, {left:.0%} of its life is left"


def _longest(certificates: Iterable[bytes]) -> Window:
    """Of several CAs that stand side by side the one that ends last."""
    return max((window_of(load_certificate(der)) for der in certificates), key=lambda window: window.not_after)


def _standing(record: PartyRecord) -> list[LoggedCa]:
    return [one for one in record.cas if one.key_hash not in record.revoked]


def _short(identifier: bytes) -> str:
    return identifier.hex()[:_ID_CHARACTERS]


def _endless(name: str, identifier: bytes, place: KeyPlace, health: Health, words: str, *, since: int = 0) -> KeyLine:
    return KeyLine(name=name, id=_short(identifier), place=place, since=since, ends=0, health=health, words=words)


def _tls_line(tls: TlsFacts) -> KeyLine:
    made = tls.window.not_before + limits.CERTIFICATE_BACKDATE_S
    half = (made + tls.window.not_after) / 2
    words, health = f"this node's connections; renews itself by {utc_text(half)}", Health.GOOD
    if tls.problem is not None:
        words, health = f"this node's connections; cannot be renewed: {tls.problem.message}", Health.WARNING
    return KeyLine(
        name="node TLS certificate",
        id="",
        place=KeyPlace.MEMORY,
        since=made,
        ends=tls.window.not_after,
        health=health,
        words=words,
    )


def _unlisted_line(key: HeldKey) -> KeyLine:
    words = f"was made and is not in the directory: `gsp keys rotate {key.role}` goes on with it"
    return _endless(f"{key.role} ({key.name})", key.id, key.place, Health.WARNING, words)


def _storage_line() -> KeyLine:
    words = "encrypts what lies in this node's files; it never changes, and a backup of the files needs it"
    return _endless("storage key", b"", KeyPlace.FILE, Health.GOOD, words)


def _decryption_lines(keys: Sequence[DecryptionKey]) -> Iterable[KeyLine]:
    purposes = {
        KeyUse.PREKEY: ("prekeys", "open what others send; a new one each day"),
        KeyUse.REPLY: ("reply keys", "open answers, each to one query, with which it is destroyed"),
    }
    for use, (name, purpose) in purposes.items():
        of_use = [key for key in keys if key.use is use]
        if of_use:
            last = max(key.destroy_at for key in of_use)
            words = (
                f"{len(of_use)} of them {purpose}; the oldest is destroyed by {utc_text(min(key.destroy_at for key in of_use))}"
            )
            since = min(key.created for key in of_use)
            yield KeyLine(name=name, id="", place=KeyPlace.STORE, since=since, ends=last, health=Health.GOOD, words=words)


def _officer_lines(officers: Sequence[Officer], now: float) -> Iterable[KeyLine]:
    """One line for all who are at work here; of each the certificate that ends last, because that is the one in use."""
    all_held = [[one for one in officer.certificates if one.withdrawn is None] for officer in officers if officer.is_active]
    windows = [window_of(load_certificate(max(held, key=lambda one: one.not_after).der)) for held in all_held if held]
    if not windows:
        return
    ended = [one for one in windows if one.not_after < now]
    standing = [one for one in windows if one.not_after >= now]
    near = [one for one in standing if _left(one, now) <= limits.LIFE_LEFT_WARNED]
    healths = [health_of(one, now) for one in standing]
    words = [f"{len(standing)} that sign what officers ask and answer"]
    if near:
        words.append(f"{len(near)} of them end soon: their officers run `gsp officers renew`")
    if ended:
        words.append(f"{len(ended)} have ended: `gsp officers invite --again ID`, or withdraw those officers")
        healths.append(Health.WARNING)
    yield KeyLine(
        name="officers' certificates",
        id="",
        place=KeyPlace.ELSEWHERE,
        since=min(one.not_before + limits.CERTIFICATE_BACKDATE_S for one in windows),
        ends=min((one.not_after for one in standing), default=0),
        health=worst(healths),
        words="; ".join(words),
    )


def _own_check(lines: Sequence[KeyLine]) -> Check:
    health = worst(line.health for line in lines)
    if health is Health.GOOD:
        noted = [line for line in lines if "of its life is left" in line.words]
        words = "; ".join(f"{line.name} {line.id}: {line.words}" for line in noted) or "nothing has to be done"
        return Check(name="own keys", health=health, words=words)
    words = "; ".join(f"{line.name} {line.id}: {line.words}" for line in lines if line.health is not Health.GOOD)
    return Check(name="own keys", health=health, words=words, hint="`gsp keys show` lists every key and what happens next")
