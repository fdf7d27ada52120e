"""The own journal held against its own rows, and what was found with peers, read beside the node that may be running.

The tree of the journal is made again from the rows: salt and content of each record have to give the hash that stands beside them, and
these the hashes of the tree. So whoever changes, swaps or removes a row is found out, unless all hashes behind it are made again
as well; then the peers find it out, whose receipts name the tree as it was.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from federation.errors import PeerMisbehaviour
from federation.evidence.journal import leaf_hash
from federation.ports import Alarm, ComparedDay, Difference, Standing
from federation.trust.merkle import HASH_BYTES, Frontier
from federation.wire.evidence import decode_record
from node.store import reconcile
from node.store.database import looking
from node.store.exchange import SCHEMA

PROBLEMS_TOLD_MAX: Final = 20
"""Of a journal that does not hold: the first ones say where it begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalSurvey:
    """A journal held against its rows.

    Attributes:
        records: how many it has.
        erased: of how many the content was erased at the end of retention.
        root: of the whole tree; empty when a row is missing.
        problems: what does not hold, in words.
    """

    records: int
    erased: int
    root: bytes
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairReport:
    """What is known of one peer's account."""

    standing: Standing
    days: tuple[ComparedDay, ...]
    differences: tuple[Difference, ...]
    alarms: tuple[Alarm, ...]
    open_days: int


def survey_journal(path: Path) -> JournalSurvey:
    """Read the whole journal of a node and hold it against itself.

    Raises:
        NotFound, InvalidConfiguration, StoreUnavailable: see `node.store.database.looking`.
    """
    with looking(path, schema=SCHEMA) as reader:
        tree = _Tree()
        for row in reader.execute("SELECT position, salt, content, nodes FROM leaf ORDER BY position"):
            tree.take(*row)
        problems = [*tree.problems, *_strangers(reader)]
        return JournalSurvey(
            records=tree.records,
            erased=tree.erased,
            root=tree.frontier.root() if tree.frontier is not None else b"",
            problems=tuple(problems[:PROBLEMS_TOLD_MAX]),
        )


def read_pairs(path: Path) -> tuple[PairReport, ...]:
    """What was found with each peer.

    Raises:
        As `survey_journal`.
    """
    with looking(path, schema=SCHEMA) as reader:
        return tuple(_pair(reader, standing) for standing in reconcile.standings(reader))


def _pair(reader: sqlite3.Connection, standing: Standing) -> PairReport:
    days, differences, alarms = reconcile.findings(reader, standing.peer)
    waiting: int = reader.execute("SELECT count(*) FROM compared_day WHERE peer = ? AND open = 1", (standing.peer,)).fetchone()[0]
    return PairReport(standing=standing, days=days, differences=differences, alarms=alarms, open_days=waiting)


class _Tree:
    """The tree as the rows so far make it."""

    def __init__(self) -> None:
        self.frontier: Frontier | None = Frontier()
        self.records = 0
        self.erased = 0
        self.problems: list[str] = []

    def take(self, position: int, salt: bytes | None, content: bytes | None, nodes: bytes) -> None:
        """The next row."""
        if position != self.records:
            self.problems.append(f"{position - self.records} records before record {position} are missing")
            self.frontier = None  # what stands behind a gap can be held against its own hash only
        self.records = position + 1
        stored = nodes[:HASH_BYTES]
        if content is None or salt is None:
            self.erased += 1
        elif leaf_hash(salt=salt, content=content) != stored:
            self.problems.append(f"record {position} is not the one that was written")
        if self.frontier is not None:
            self.frontier, completed = self.frontier.append(stored)
            if b"".join(value for _, _, value in completed) != nodes:
                self.problems.append(f"the tree does not hold at record {position}")
                self.frontier = None


def _strangers(reader: sqlite3.Connection) -> Iterator[str]:
    """Messages whose record in the journal is about another message, or another sealing of it."""
    crossings = reader.execute(
        "SELECT crossing.message_id, digest, leaf, content FROM crossing LEFT JOIN leaf ON position = leaf"
        " WHERE leaf >= 0 AND digest != x''"
    )
    for message_id, digest, leaf, content in crossings:
        if content is None:
            continue  # erased, or told above
        try:
            record = decode_record(content)
        except PeerMisbehaviour:
            yield f"record {leaf} cannot be read"
            continue
        if (record.message_id, record.digest) != (message_id, digest):
            yield f"message {message_id.hex()} and record {leaf} do not belong together"
