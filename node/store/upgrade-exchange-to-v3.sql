-- From version 2, of gsp-node 0.2.0: timelines, what was seen of peers, accounts, erasure, files, held messages, numbers of lanes.

-- What happened to each message, in words of a closed vocabulary and without content. One row for each step and reason, however often
-- it happened. Not bound to `crossing`, whose rows are replaced by newer sealings; the change that erases a message names its timeline.
CREATE TABLE timeline (
    direction  TEXT NOT NULL CHECK (direction IN ('sent', 'received')),
    message_id BLOB NOT NULL,
    step       TEXT NOT NULL,       -- Step
    reason     TEXT NOT NULL,       -- error code of a try that failed, or empty
    first      INTEGER NOT NULL,
    last       INTEGER NOT NULL,
    count      INTEGER NOT NULL,
    offset_ms  INTEGER,             -- how far the other node's clock was ahead the last time; null when nobody knew
    PRIMARY KEY (direction, message_id, step, reason)
) STRICT, WITHOUT ROWID;

-- What was last seen of each Party's node, for people's eyes. Times are 0 where there is none.
CREATE TABLE peer_seen (
    party            TEXT PRIMARY KEY,
    reached          INTEGER NOT NULL,
    heard            INTEGER NOT NULL,
    failures         INTEGER NOT NULL,
    failing_since    INTEGER NOT NULL,
    problem          TEXT NOT NULL,     -- error code of the last call, or empty
    round_trips_ms   BLOB NOT NULL,     -- of the last calls that were answered, 4 bytes big-endian each, the newest last
    offset_ms        INTEGER,           -- null when the other node never told its time
    offset_at        INTEGER NOT NULL,
    certificate_ends INTEGER NOT NULL,
    certificate_seen INTEGER NOT NULL,
    version          TEXT NOT NULL      -- of its program, or empty
) STRICT, WITHOUT ROWID;

-- The newest prekeys of each Party's node, as it signed them: a node that starts without a network can seal to its peers.
CREATE TABLE peer_bundle (
    party  TEXT PRIMARY KEY,
    bundle BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- --- reconciling with peers ------------------------------------------------------------------------------------------------------

-- Crossings that are not sorted under their days yet, or got a receipt since (node/store/reconcile.py).
CREATE TABLE unsorted (
    crossing INTEGER PRIMARY KEY REFERENCES crossing (id) ON DELETE CASCADE
) STRICT;

CREATE TRIGGER crossing_is_to_be_sorted AFTER INSERT ON crossing
BEGIN
    INSERT OR IGNORE INTO unsorted VALUES (new.id);
END;

-- Receipts of peers whose checkpoint was not held against the peer's journal yet.
CREATE TABLE unproved (
    crossing INTEGER PRIMARY KEY REFERENCES crossing (id) ON DELETE CASCADE
) STRICT;

CREATE TRIGGER receipt_is_to_be_proved AFTER INSERT ON receipt
WHEN (SELECT direction FROM crossing WHERE id = new.crossing) = 'sent'
BEGIN
    INSERT OR IGNORE INTO unsorted VALUES (new.crossing);
    INSERT OR IGNORE INTO unproved VALUES (new.crossing);
END;

-- Which messages belong to which day: that on which their statement was made.
CREATE TABLE tally (
    peer       TEXT NOT NULL,
    day        INTEGER NOT NULL,        -- since 1970-01-01 UTC
    direction  TEXT NOT NULL,           -- as in crossing
    message_id BLOB NOT NULL,
    commitment BLOB NOT NULL,           -- of the header: the same in every sealing
    receipted  INTEGER NOT NULL,        -- of what was sent: 1 when the receipt is here; of what came: 1
    PRIMARY KEY (peer, day, direction, message_id)
) STRICT, WITHOUT ROWID;

-- Days on which something crossed, and what both sides told of them.
CREATE TABLE compared_day (
    peer      TEXT NOT NULL,
    day       INTEGER NOT NULL,
    open      INTEGER NOT NULL,         -- 1 when it has to be compared, or compared again
    compared  INTEGER NOT NULL,         -- Unix seconds; 0 before the first time
    sent      INTEGER NOT NULL,
    they_have INTEGER NOT NULL,
    received  INTEGER NOT NULL,
    they_sent INTEGER NOT NULL,
    PRIMARY KEY (peer, day)
) STRICT, WITHOUT ROWID;

CREATE INDEX compared_day_open ON compared_day (peer, compared, day) WHERE open = 1;

-- How far this node is with each peer.
CREATE TABLE standing (
    peer              TEXT PRIMARY KEY,
    visited           INTEGER NOT NULL,
    account           BLOB,             -- the newest one that was good, as its bytes were signed; null before
    account_signature BLOB,
    problem           TEXT NOT NULL,
    failing_since     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Messages about which the two sides differ, or differed.
CREATE TABLE difference (
    peer       TEXT NOT NULL,
    kind       TEXT NOT NULL,           -- DifferenceKind
    message_id BLOB NOT NULL,
    day        INTEGER NOT NULL,
    found      INTEGER NOT NULL,
    healed     INTEGER NOT NULL,        -- Unix seconds; 0 while they differ
    listing    BLOB NOT NULL,           -- the peer's, as its bytes were signed
    signature  BLOB NOT NULL,
    PRIMARY KEY (peer, message_id, kind)
) STRICT;

-- Peers' journals that contradict what the peer signed before. Rows never go away.
CREATE TABLE journal_alarm (
    peer      TEXT NOT NULL,
    judgement TEXT NOT NULL,
    epoch     INTEGER NOT NULL,         -- of the checkpoint that is contradicted, and its size
    size      INTEGER NOT NULL,
    found     INTEGER NOT NULL,
    proof     BLOB NOT NULL,            -- Contradiction
    PRIMARY KEY (peer, epoch, size, judgement)
) STRICT;

CREATE TRIGGER alarm_is_not_removed BEFORE DELETE ON journal_alarm
BEGIN
    SELECT RAISE(ABORT, 'an alarm never goes away');
END;

-- Up to where the contents of the journal were erased at the end of retention.
CREATE TABLE erased (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    leaves INTEGER NOT NULL
) STRICT;

INSERT INTO erased VALUES (1, 0);

CREATE INDEX crossing_age ON crossing (at, id);

INSERT INTO unsorted SELECT id FROM crossing;
INSERT INTO unproved SELECT receipt.crossing FROM receipt JOIN crossing ON crossing.id = receipt.crossing WHERE direction = 'sent';

-- Files that go with messages. Names, keys and hashes of the plaintext are in the bodies, which are sealed; the ciphertext is in
-- `attachments/` beside this file, encrypted under a key that is in the body.
CREATE TABLE attachment (
    number            INTEGER PRIMARY KEY,
    direction         TEXT NOT NULL CHECK (direction IN ('sent', 'received')),
    message_id        BLOB NOT NULL,
    attachment_id     BLOB NOT NULL,
    size              INTEGER NOT NULL,    -- of the ciphertext
    sha512            BLOB NOT NULL,       -- of the ciphertext
    peer              TEXT NOT NULL,
    state             TEXT NOT NULL,       -- AttachmentState
    since             INTEGER NOT NULL,    -- when the message was written down
    changed           INTEGER NOT NULL,
    attempts          INTEGER NOT NULL,
    next_attempt      REAL NOT NULL,
    problem           TEXT NOT NULL,
    leaf              INTEGER NOT NULL,    -- position of its ATTACHED record in the journal; -1 before there is one
    receipt           BLOB,                -- the peer's, of one that was sent: its statement
    receipt_signature BLOB,
    UNIQUE (direction, message_id, attachment_id)
) STRICT;

CREATE INDEX attachment_due ON attachment (peer, next_attempt) WHERE state IN ('waiting', 'arrived');
CREATE INDEX attachment_room ON attachment (state, size);
CREATE INDEX attachment_day ON attachment (peer, changed) WHERE direction = 'received';

-- The Parties from which any file is awaited, found as in `outgoing_peer`.
CREATE VIEW attachment_peer AS
WITH RECURSIVE awaited (peer) AS (
    SELECT min(peer) FROM attachment WHERE state IN ('waiting', 'arrived')
    UNION ALL
    SELECT (SELECT min(attachment.peer) FROM attachment WHERE state IN ('waiting', 'arrived') AND attachment.peer > awaited.peer)
    FROM awaited WHERE awaited.peer IS NOT NULL
)
SELECT peer FROM awaited WHERE peer IS NOT NULL;

-- Messages on their way, with their conversation and whether they are held.
DROP VIEW outgoing_peer;
DROP INDEX outgoing_due;
ALTER TABLE outgoing RENAME TO outgoing_v2;

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
SELECT outgoing_v2.*, (SELECT conversation FROM crossing WHERE direction = 'sent' AND crossing.message_id = outgoing_v2.message_id), 0, ''
FROM outgoing_v2;

DROP TABLE outgoing_v2;

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
