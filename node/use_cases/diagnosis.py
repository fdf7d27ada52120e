"""What is wrong with this node, and what to do about it: the node's own half of `gsp doctor`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from federation import limits
from federation.boundary.directory import cosigners
from federation.ports import JournalStore, OutboxStore
from node.use_cases.announcing import Particulars
from node.use_cases.desk_values import Check, Health, NodeStatus
from node.use_cases.directory_checks import directory_checks
from node.use_cases.registry import Registry
from node.use_cases.world import Own, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the composition root knows and the use cases do not.

    Attributes:
        certificate_not_after: Unix seconds at which the node's TLS certificate ends.
        disk_free_bytes: room left where the stores are.
    """

    certificate_not_after: float
    disk_free_bytes: int


DISK_FREE_BYTES_MIN = 256 * 1024 * 1024
"""Below this the operator is told: a day of a busy node."""


class Diagnosis:
    """Looks at everything that an administrator can mend."""

    def __init__(
        self,
        *,
        own: Own,
        world: World,
        version: str,
        registry: Registry,
        waiting: OutboxStore,
        journal: JournalStore,
        facts: Callable[[], Facts],
        says: Particulars | None = None,
    ) -> None:
        self._own = own
        self._world = world
        self._version = version
        self._registry = registry
        self._waiting = waiting
        self._journal = journal
        self._facts = facts
        self._says = says

    async def look(self) -> NodeStatus:
        """All checks and figures of this moment."""
        facts = self._facts()
        waiting = {
            party: await self._waiting.waiting(party) for party in self._registry.roster.parties if party != self._own.party
        }
        stuck = {str(party): len(rows) for party, rows in waiting.items() if any(row.attempts for row in rows)}
        checks = (
            self._directory(),
            self._alarms(),
            self._view(),
            *directory_checks(self._registry.replica, self._own.party, self._says, now=self._world.clock.now()),
            self._listed(),
            self._certificate(facts),
            _disk(facts),
            _outbox(stuck),
        )
        figures = {
            "directory_size": self._registry.roster.size,
            "parties": len(self._registry.roster.parties),
            "cosigners": len(cosigners(self._registry.roster, self._registry.replica.note)),
            "outbox": sum(len(rows) for rows in waiting.values()),
            "journal_size": (await self._journal.frontier()).size,
        }
        return NodeStatus(party=self._own.party, version=self._version, checks=checks, figures=figures)

    def _directory(self) -> Check:
        age = self._world.clock.now() - self._registry.heard_at
        words = f"{self._registry.roster.size} entries, last confirmed {int(age)} s ago"
        if age < limits.DIRECTORY_STALE_WARN_S:
            return Check(name="directory", health=Health.GOOD, words=words)
        health = Health.BAD if age > limits.DIRECTORY_STALE_MARK_S else Health.WARNING
        return Check(
            name="directory",
            health=health,
            words=words,
            hint="the Secretariat's node does not answer; known Parties go on exchanging. Check the address in node.toml",
        )

    def _view(self) -> Check:
        split = self._registry.split_view
        if split is None:
            return Check(name="directory view", health=Health.GOOD, words="no Party has shown us another directory than ours")
        return Check(
            name="directory view",
            health=Health.BAD,
            words=f"{split.teller} was shown another directory of the same size than this node",
            hint="both checkpoints carry the Secretariat's signature: tell the other Parties; the envelope that showed it is evidence",
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
        if record.node.signing_key != self._own.signer.public_key or record.node.node != self._own.name:
            return Check(
                name="own entry",
                health=Health.BAD,
                words="the directory lists another node or key for this Party",
                hint="start the node with the keystore that it joined with",
            )
        return Check(name="own entry", health=Health.GOOD, words=f"listed as {record.node.node.dns}")

    def _certificate(self, facts: Facts) -> Check:
        left = facts.certificate_not_after - self._world.clock.now()
        words = f"ends in {left / 3_600:.0f} h"
        if left > limits.NODE_CERTIFICATE_LIFE_S / 4:
            return Check(name="node certificate", health=Health.GOOD, words=words)
        health = Health.WARNING if left > 0 else Health.BAD
        return Check(name="node certificate", health=health, words=words, hint="restart the node: it makes a new one")


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
        hint="they go out when the other node is back; `gsp queries` shows each",
    )
