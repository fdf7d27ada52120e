"""What is wrong with this node, and what to do about it: the node's own half of `gsp doctor`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from federation import limits
from federation.boundary.directory import cosigners
from federation.errors import FederationError, Unavailable, Unreachable
from federation.ports import JournalStore, OutboxStore, ReconcileStore
from federation.trust.chain import Window
from federation.trust.roster import signing_keys
from node.use_cases.announcing import Particulars
from node.use_cases.desk_values import Check, Health, NodeStatus
from node.use_cases.directory_checks import directory_checks
from node.use_cases.journal_checks import journal_checks
from node.use_cases.key_report import KeyReport
from node.use_cases.keyring import Keyring
from node.use_cases.notices import Notices
from node.use_cases.peer_book import PeerBook
from node.use_cases.peer_clocks import PeerClocks
from node.use_cases.registry import Registry
from node.use_cases.restoring import Returned
from node.use_cases.world import Own, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the composition root knows and the use cases do not.

    Attributes:
        certificate: when the node's TLS certificate is valid.
        disk_free_bytes: room left where the stores are.
        clocks: what other nodes' clocks said.
        certificate_problem: why no newer TLS certificate can be made; None when one can, or is not needed yet.
        returned: when the node was put back from a backup, if it was.
        old_copies: names of copies that earlier upgrades left, and that are kept too long.
    """

    certificate: Window
    disk_free_bytes: int
    certificate_problem: FederationError | None = None
    clocks: PeerClocks = field(default_factory=PeerClocks)
    returned: Returned | None = None
    old_copies: tuple[str, ...] = ()


DISK_FREE_BYTES_MIN = 256 * 1024 * 1024
"""Below this the operator is told: a day of a busy node."""

_STANDS_STILL: Final = (
    "the Secretariat's node does not answer, or witnesses are away; known Parties go on exchanging. "
    "Check the address in node.toml"
)
_SPLIT: Final = "every node has the proof: tell the other Parties and the founders by telephone; the founders change the log key"


class Diagnosis:
    """Looks at everything that an administrator can mend."""

    def __init__(
        self,
        *,
        own: Own,
        world: World,
        version: str,
        registry: Registry,
        notices: Notices,
        restored: Callable[[], Awaitable[bool]],
        waiting: OutboxStore,
        journal: JournalStore,
        facts: Callable[[], Facts],
        book: PeerBook,
        key_report: KeyReport,
        keyring: Keyring,
        accounts: ReconcileStore,
        arrivals: Callable[[], Awaitable[Sequence[Check]]],
        says: Callable[[], Particulars | None] = lambda: None,
    ) -> None:
        self._own = own
        self._world = world
        self._version = version
        self._registry = registry
        self._notices = notices
        self._restored = restored
        self._waiting = waiting
        self._journal = journal
        self._facts = facts
        self._book = book
        self._key_report = key_report
        self._keyring = keyring
        self._accounts = accounts
        self._arrivals = arrivals
        self._says = says

    async def look(self) -> NodeStatus:
        """All checks and figures of this moment."""
        facts = self._facts()
        waiting = {
            party: await self._waiting.waiting(party) for party in self._registry.roster.parties if party != self._own.party
        }
        on_its_way = {party: [row for row in rows if not row.held_since] for party, rows in waiting.items()}
        stuck = {str(party): len(rows) for party, rows in on_its_way.items() if any(row.attempts for row in rows)}
        checks = (
            self._directory(),
            self._alarms(),
            self._view(),
            await self._witness(),
            self._revocations(),
            *directory_checks(self._registry.replica, self._own.party, self._says(), now=self._world.clock.now()),
            self._listed(),
            self._certificate(facts),
            _disk(facts),
            _outbox(stuck),
            *await self._arrivals(),
            *await self._key_report.checks(),
            facts.clocks.check(),
            self._book.check(self._registry.roster.parties),
            *_sealing_keys(self._keyring.overdue()),
            *await journal_checks(self._accounts, now=self._world.clock.now()),
            *_returned(facts.returned),
            *old_copies(facts.old_copies),
        )
        figures = {
            "directory_size": self._registry.roster.size,
            "directory_age_s": int(self._registry.age_s),
            "parties": len(self._registry.roster.parties),
            "cosigners": len(cosigners(self._registry.roster, self._registry.replica.note)),
            "outbox": sum(len(rows) for rows in waiting.values()),
            "journal_size": (await self._journal.frontier()).size,
        }
        return NodeStatus(
            party=self._own.party, version=self._version, checks=checks, figures=figures, keys=await self._key_report.lines()
        )

    def _directory(self) -> Check:
        age, refused = self._registry.age_s, self._registry.refused
        words = f"{self._registry.roster.size} entries, seen {_duration(age)} ago"
        if refused is not None:
            words += f"; refused: {refused.message}"
        hint = refused.hint if refused is not None and not isinstance(refused, Unreachable) else _STANDS_STILL
        if age >= limits.DIRECTORY_FRESH_S:
            words += "; no new Party and no new key is accepted, known Parties go on exchanging"
            return Check(name="directory", health=Health.BAD, words=words, hint=hint)
        if age >= limits.DIRECTORY_STALE_WARN_S or (refused is not None and not isinstance(refused, Unavailable)):
            return Check(name="directory", health=Health.WARNING, words=words, hint=hint)
        return Check(name="directory", health=Health.GOOD, words=words)

    def _view(self) -> Check:
        splits = self._notices.splits
        if not splits:
            return Check(name="directory view", health=Health.GOOD, words="nobody has shown us another directory than ours")
        standing = self._registry.replica.roster.governance.log_key in self._registry.equivocating
        older, newer = splits[-1]
        return Check(
            name="directory view",
            health=Health.BAD if standing else Health.WARNING,
            words=f"the log key signed two directories: a checkpoint of size {older.size} contradicts one of size {newer.size}",
            hint=_SPLIT if standing else "the founders have changed the log key since; what the former one signs counts no more",
        )

    async def _witness(self) -> Check:
        if await self._restored():
            return Check(
                name="own witness",
                health=Health.WARNING,
                words="this node was put back from a backup and cosigns nothing yet",
                hint="it goes on by itself once enough other nodes show the same directory",
            )
        return Check(name="own witness", health=Health.GOOD, words="this node knows what it has cosigned")

    def _revocations(self) -> Check:
        withheld = self._notices.revocations
        if not withheld:
            return Check(
                name="revocations", health=Health.GOOD, words="every revocation that is known here stands in the directory"
            )
        parties = ", ".join(sorted({str(one.party) for one in withheld}))
        return Check(
            name="revocations",
            health=Health.WARNING,
            words=f"{len(withheld)} are honoured here that the directory does not hold: of {parties}",
            hint="if they are not in the directory tomorrow, ask the Secretariat why",
        )

    def _alarms(self) -> Check:
        alarms = self._registry.roster.alarms
        if not alarms:
            return Check(name="directory rules", health=Health.GOOD, words="every entry keeps its author rule")
        newest = alarms[-1]
        return Check(
            name="directory rules",
            health=Health.BAD,
            words=f"{len(alarms)} entries break a rule; the newest, number {newest.index}: {newest.words}",
            hint="they were not accepted here; tell the other Parties and the Secretariat",
        )

    def _listed(self) -> Check:
        record = self._registry.roster.parties.get(self._own.party)
        if record is None or record.node is None:
            return Check(
                name="own entry",
                health=Health.BAD,
                words="the directory lists no node for this Party",
                hint="finish joining with `gsp party join`; other Parties cannot reach this node before",
            )
        now = self._world.clock.now()
        ours = record.node.node == self._own.name
        if not ours or self._own.signer.public_key not in signing_keys(self._registry.roster, self._own.name, at=now):
            return Check(
                name="own entry",
                health=Health.BAD,
                words="the directory lists another node or key for this Party",
                hint="start the node with the keystore that it joined with",
            )
        return Check(name="own entry", health=Health.GOOD, words=f"listed as {record.node.node.dns}")

    def _certificate(self, facts: Facts) -> Check:
        left = facts.certificate.not_after - self._world.clock.now()
        words = f"ends in {left / 3_600:.0f} h"
        problem = facts.certificate_problem
        if problem is not None:
            health = Health.WARNING if left > 0 else Health.BAD
            words = f"{words}, and no other one can be made: {problem.message}"
            return Check(name="node certificate", health=health, words=words, hint=problem.hint)
        if left > limits.NODE_CERTIFICATE_LIFE_S / 4:
            return Check(name="node certificate", health=Health.GOOD, words=words)
        health = Health.WARNING if left > 0 else Health.BAD
        return Check(name="node certificate", health=health, words=words, hint="restart the node: it makes a new one")


def _returned(returned: Returned | None) -> Iterator[Check]:
    """Nothing is told of a node that was never put back, or long ago."""
    if returned is not None and returned.agreed is None:
        yield put_back(returned)


def put_back(returned: Returned) -> Check:
    """What has to be told of a node that came back from a backup."""
    words = f"put back on {_day(returned.at)} from a backup of {_day(returned.taken)}"
    if returned.agreed is not None:
        return Check(name="restored", health=Health.GOOD, words=f"{words}; other Parties' nodes have agreed since")
    return Check(
        name="restored",
        health=Health.WARNING,
        words=f"{words}; cosigns nothing until other Parties' nodes hold the same directory",
        hint="it ends by itself when they answer; tell them: what they sent between the two days is not here and has to be asked again",
    )


def old_copies(names: Sequence[str]) -> Iterator[Check]:
    """Copies that upgrades left."""
    if names:
        yield Check(
            name="old copies",
            health=Health.WARNING,
            words=f"made before an upgrade more than a month ago: {', '.join(names)}",
            hint="the upgrade was good by now: delete them, they hold what the store held",
        )


def _sealing_keys(overdue: int) -> Iterator[Check]:
    if overdue:
        yield Check(
            name="sealing keys",
            health=Health.BAD,
            words=f"{overdue} are past their end and not destroyed",
            hint="the store refuses to destroy them: look at the disk, and at the log of the node",
        )


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, tz=UTC).strftime("%Y-%m-%d %H:%M UTC")


def _disk(facts: Facts) -> Check:
    words = f"{facts.disk_free_bytes // 1_048_576} MiB free"
    if facts.disk_free_bytes >= DISK_FREE_BYTES_MIN:
        return Check(name="disk", health=Health.GOOD, words=words)
    return Check(name="disk", health=Health.BAD, words=words, hint="make room: without it nothing is receipted")


def _outbox(stuck: Mapping[str, int]) -> Check:
    if not stuck:
        return Check(name="outbox", health=Health.GOOD, words="nothing waits for a Party that does not answer")
    words = ", ".join(f"{count} for {party}" for party, count in sorted(stuck.items()))
    return Check(
        name="outbox",
        health=Health.WARNING,
        words=f"messages wait: {words}",
        hint="they go out when the other node is back; `gsp peers` says how it does, and `gsp why ID` why one waits",
    )


def _duration(seconds: float) -> str:
    """In the largest unit that says enough."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"
