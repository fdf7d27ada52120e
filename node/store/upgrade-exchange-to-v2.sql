-- From version 1, where private halves were sealed under the storage key itself. node/store/epochs.py seals them again and removes
-- the old table in the same transaction: the storage key is not in this file.

ALTER TABLE decryption_key RENAME TO decryption_key_v1;

-- The keys under which private halves are sealed. Destroying one, which is overwriting its row, destroys what it sealed, wherever
-- old pages of this file still lie. Copies of this file leave this table out, and the next.
CREATE TABLE key_epoch (
    epoch  BLOB PRIMARY KEY,            -- of prekeys: the day on which they end, 8 bytes big-endian; of a reply key: its key id
    sealed BLOB NOT NULL                -- 32-byte key, under the storage key
) STRICT, WITHOUT ROWID;

-- Private halves of prekeys and reply keys.
CREATE TABLE decryption_key (
    key_id     BLOB PRIMARY KEY,
    use        TEXT NOT NULL,           -- KeyUse
    created    INTEGER NOT NULL,
    destroy_at INTEGER NOT NULL,
    epoch      BLOB NOT NULL,
    sealed     BLOB NOT NULL            -- 32-byte seed, under the key of its epoch
) STRICT, WITHOUT ROWID;

CREATE INDEX decryption_key_epoch ON decryption_key (epoch) WHERE use = 'prekey';

-- Epochs of the journal: the first is 1, every other begins when the node was put back from a backup (docs/protocol.md, "The journal").
CREATE TABLE journal_epoch (
    number INTEGER PRIMARY KEY,
    first  INTEGER NOT NULL             -- position of its first leaf
) STRICT;

INSERT INTO journal_epoch VALUES (1, 0);

-- Messages on their way, with their conversation and whether they are held.
DROP VIEW outgoing_peer;
DROP INDEX outgoing_due;
ALTER TABLE outgoing RENAME TO outgoing_v1;

CREATE TABLE outgoing (
    number       INTEGER PRIMARY KEY,
    message_id   BLOB NOT NULL UNIQUE,
    peer         TEXT NOT NULL,
    kind         TEXT NOT NULL,         -- MessageKind
    lane         TEXT NOT NULL,         -- Lane
    created      INTEGER NOT NULL,
    deadline     INTEGER NOT NULL,
    sealed_until INTEGER NOT NULL,      -- the stored envelope may be sent up to then; 0 when there is none
    attempts     INTEGER NOT NULL,
    next_attempt REAL NOT NULL,
    problem      TEXT NOT NULL,
    conversation BLOB,                  -- nothing overtakes an earlier message of it; null: it stands alone
    held_since   INTEGER NOT NULL,      -- refused for good since then, and waits for a person; 0: on its way
    reason       TEXT NOT NULL          -- what the peer said when it refused
) STRICT;

CREATE INDEX outgoing_due ON outgoing (peer, held_since, lane, next_attempt);
CREATE INDEX outgoing_conversation ON outgoing (conversation, peer);
CREATE INDEX outgoing_held ON outgoing (held_since) WHERE held_since > 0;

INSERT INTO outgoing
SELECT outgoing_v1.*, (SELECT conversation FROM crossing WHERE direction = 'sent' AND crossing.message_id = outgoing_v1.message_id), 0, ''
FROM outgoing_v1;

DROP TABLE outgoing_v1;

-- The Parties that anything waits for, found by one step through the index for each, however many messages wait.
CREATE VIEW outgoing_peer AS
WITH RECURSIVE waiting (peer) AS (
    SELECT min(peer) FROM outgoing
    UNION ALL
    SELECT (SELECT min(outgoing.peer) FROM outgoing WHERE outgoing.peer > waiting.peer) FROM waiting WHERE waiting.peer IS NOT NULL
)
SELECT peer FROM waiting WHERE peer IS NOT NULL;

-- The lanes, the most urgent first.
CREATE VIEW outgoing_lane AS SELECT 0 AS rank, 'urgent' AS name UNION ALL SELECT 1, 'normal' UNION ALL SELECT 2, 'bulk';

-- What may go: it is not held, and no earlier message of its conversation still waits.
CREATE VIEW outgoing_free AS
SELECT * FROM outgoing AS own WHERE held_since = 0 AND NOT EXISTS (
    SELECT 1 FROM outgoing AS earlier
    WHERE earlier.conversation = own.conversation AND earlier.peer = own.peer AND earlier.number < own.number AND earlier.held_since = 0
);

-- How far each lane of each peer was seen. A peer numbers the envelopes of a lane; what is odd about the numbers is in the next table.
CREATE TABLE lane_track (
    peer     TEXT NOT NULL,
    lane     TEXT NOT NULL,
    sequence INTEGER NOT NULL,          -- the largest number that came; -1: the lane was in use before anybody looked
    digest   BLOB NOT NULL,             -- of that envelope
    recent   BLOB NOT NULL,             -- the last ones that came: 8 bytes of number, big-endian, and 32 of digest each
    PRIMARY KEY (peer, lane)
) STRICT, WITHOUT ROWID;

CREATE TABLE lane_notice (
    peer       TEXT NOT NULL,
    lane       TEXT NOT NULL,
    oddity     TEXT NOT NULL,           -- Oddity
    first      INTEGER NOT NULL,
    last       INTEGER NOT NULL,
    before     BLOB NOT NULL,           -- digest of the envelope in front of the first, where one is missing
    after      BLOB NOT NULL,           -- digest that the envelope behind the last gives to it
    since      INTEGER NOT NULL,
    place      INTEGER NOT NULL,        -- the order in which they were noticed
    PRIMARY KEY (peer, lane, place)
) STRICT, WITHOUT ROWID;

-- Messages that are what they say, and over which this node failed. They have no receipt.
CREATE TABLE poison (
    peer       TEXT NOT NULL,
    message_id BLOB NOT NULL,
    digest     BLOB NOT NULL,
    reason     TEXT NOT NULL,           -- where it failed
    version    TEXT NOT NULL,           -- of the program that failed
    since      INTEGER NOT NULL,
    times      INTEGER NOT NULL,
    PRIMARY KEY (peer, message_id)
) STRICT, WITHOUT ROWID;

-- Who sent before anybody looked at the numbers is believed to have sent everything.
INSERT INTO lane_track
SELECT DISTINCT peer, lane.name, -1, x'', x'' FROM crossing,
    (SELECT 'urgent' AS name UNION ALL SELECT 'normal' UNION ALL SELECT 'bulk') AS lane
WHERE direction = 'received';

-- How much room each Party's messages take up, without reading them.
CREATE INDEX crossing_kept ON crossing (direction, peer, length(sealed));
