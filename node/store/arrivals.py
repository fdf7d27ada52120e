"""What a node remembers of what came in, as rows of `exchange-v3.sql`: lanes and their notices, and messages that it failed over.

Which changes are made together is left to `node.store.exchange`.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from federation.delivery.lanes import LaneNotice, LaneTrack, Oddity
from federation.envelope.header import Lane
from federation.identity import MessageId, PartyId
from federation.ports import Change, Poison
from node.store.rows import Row

_NUMBER_BYTES: Final = 8
_RECENT_BYTES: Final = _NUMBER_BYTES + 32


def put(writer: sqlite3.Connection, change: Change) -> None:
    """What a change says of arrivals."""
    for track in change.tracks:
        _put_track(writer, track)
    for poison in change.poisons:
        row = (poison.peer, poison.message_id, poison.digest, poison.reason, poison.version, poison.since, poison.times)
        writer.execute("INSERT OR REPLACE INTO poison VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    writer.executemany("DELETE FROM poison WHERE peer = ? AND message_id = ?", change.poisons_done)


def _put_track(writer: sqlite3.Connection, track: LaneTrack) -> None:
    """A lane with its notices, in the place of what was there."""
    recent = b"".join(number.to_bytes(_NUMBER_BYTES) + digest for number, digest in track.recent)
    place = (track.peer, track.lane)
    writer.execute("INSERT OR REPLACE INTO lane_track VALUES (?, ?, ?, ?, ?)", (*place, track.sequence, track.digest, recent))
    writer.execute("DELETE FROM lane_notice WHERE peer = ? AND lane = ?", place)
    writer.executemany(
        "INSERT INTO lane_notice VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (*place, one.oddity, one.first, one.last, one.before, one.after, one.since, number)
            for number, one in enumerate(track.notices)
        ],
    )


def read_tracks(reader: sqlite3.Connection) -> tuple[LaneTrack, ...]:
    """All lanes of all peers."""
    notices: dict[tuple[str, str], list[LaneNotice]] = {}
    for row in reader.execute("SELECT * FROM lane_notice ORDER BY peer, lane, place"):
        notices.setdefault((row[0], row[1]), []).append(_notice(row))
    return tuple(
        LaneTrack(
            peer=PartyId(peer),
            lane=Lane(lane),
            sequence=sequence,
            digest=digest,
            recent=tuple(
                (int.from_bytes(recent[start : start + _NUMBER_BYTES]), recent[start + _NUMBER_BYTES : start + _RECENT_BYTES])
                for start in range(0, len(recent), _RECENT_BYTES)
            ),
            notices=tuple(notices.get((peer, lane), ())),
        )
        for peer, lane, sequence, digest, recent in reader.execute("SELECT * FROM lane_track ORDER BY peer, lane")
    )


def _notice(row: Row) -> LaneNotice:
    _, _, oddity, first, last, before, after, since, _ = row
    return LaneNotice(oddity=Oddity(oddity), first=first, last=last, before=before, after=after, since=since)


def poison_value(row: Row) -> Poison:
    """Back from a row of `poison`."""
    peer, message_id, digest, reason, version, since, times = row
    return Poison(
        peer=PartyId(peer),
        message_id=MessageId(message_id),
        digest=digest,
        reason=reason,
        version=version,
        since=since,
        times=times,
    )
