-- Everything that has to change together at one node: queries, crossings, outbox, replay table, keys and the journal.
--
-- Times are Unix seconds. Columns called `sealed` are encrypted under the node's storage key and bound to their row
-- (node/store/vault.py). Message ids have 16 bytes, digests and hashes 32. Large rows have a rowid, small ones do not need one.

-- One row, sealed under the storage key when the file was made: a wrong key is noticed before it does harm.
CREATE TABLE vault (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    sealed BLOB NOT NULL
) STRICT;

-- What was accepted before. Rows stay for the whole retention.
CREATE TABLE mark (
    sender         TEXT NOT NULL,   -- Party that sent it
    message_id     BLOB NOT NULL,
    statement_hash BLOB NOT NULL,   -- SHA-256 of the statement that came first under this id
    PRIMARY KEY (sender, message_id)
) STRICT, WITHOUT ROWID;

-- Queries that this node asked.
CREATE TABLE asked (
    message_id BLOB PRIMARY KEY,
    peer       TEXT NOT NULL,       -- Party that was asked
    state      TEXT NOT NULL,       -- AskedState
    officer_id TEXT NOT NULL,       -- opaque; never a person's name
    created    INTEGER NOT NULL,
    deadline   INTEGER NOT NULL,
    changed    INTEGER NOT NULL,    -- when the state last changed
    codes      INTEGER NOT NULL,    -- how many codes it asks about
    sealed     BLOB,                -- the case reference in UTF-8; null when there is none
    key_id     BLOB NOT NULL,       -- reply key
    answer_ids BLOB NOT NULL,       -- message ids of its answers in order of arrival, one after another
    problem    TEXT NOT NULL        -- error code of the last try, or empty
) STRICT, WITHOUT ROWID;

CREATE INDEX asked_page ON asked (created, message_id);
CREATE INDEX asked_open ON asked (deadline) WHERE state IN ('queued', 'delivered');

-- Queries that this node was asked.
CREATE TABLE received (
    message_id BLOB NOT NULL UNIQUE,
    peer       TEXT NOT NULL,       -- Party that asked
    state      TEXT NOT NULL,       -- ReceivedState
    officer_id TEXT NOT NULL,
    received   INTEGER NOT NULL,
    deadline   INTEGER NOT NULL,
    changed    INTEGER NOT NULL,
    codes      INTEGER NOT NULL,
    reply_key  BLOB NOT NULL,       -- public X-Wing key for the answers
    answer_id  BLOB                 -- message id of our answer; null before there is one
) STRICT;

CREATE INDEX received_page ON received (received, message_id);
CREATE INDEX received_open ON received (deadline) WHERE state = 'waiting';

-- One message that crossed, as evidence: what was sent or came, byte for byte. What changes afterwards is in the next two tables,
-- so that these large rows are written once.
CREATE TABLE crossing (
    id                INTEGER PRIMARY KEY,
    direction         TEXT NOT NULL CHECK (direction IN ('sent', 'received')),
    message_id        BLOB NOT NULL,
    conversation      BLOB NOT NULL,    -- message id of the query that began it
    kind              TEXT NOT NULL,    -- MessageKind
    peer              TEXT NOT NULL,
    at                INTEGER NOT NULL,
    digest            BLOB NOT NULL,    -- of the newest sealing, as the next four; empty before the first
    header            BLOB NOT NULL,
    wrap              BLOB NOT NULL,
    ciphertext_hash   BLOB NOT NULL,    -- SHA-512
    signature         BLOB NOT NULL,
    leaf              INTEGER NOT NULL, -- position of its SENT or RECEIVED record in the journal; -1 when there is none
    sealed            BLOB NOT NULL,    -- statement, officer's signature, salt and body, as they are packed inside an envelope
    UNIQUE (direction, message_id)
) STRICT;

-- The ciphertext of a sent message while it waits in the outbox. Not sealed again: it is sealed to the peer.
CREATE TABLE ciphertext (
    crossing   INTEGER PRIMARY KEY REFERENCES crossing (id) ON DELETE CASCADE,
    ciphertext BLOB NOT NULL
) STRICT;

-- The signed statement that a crossing arrived: the peer's for a sent message, ours for a received one.
CREATE TABLE receipt (
    crossing  INTEGER PRIMARY KEY REFERENCES crossing (id) ON DELETE CASCADE,
    statement BLOB NOT NULL,
    signature BLOB NOT NULL
) STRICT;

-- Messages on their way. `number` keeps the order in which they were first put, whatever is changed later.
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

-- The last envelope of each lane to each peer: what the next one counts and links from.
CREATE TABLE lane_head (
    peer     TEXT NOT NULL,
    lane     TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    digest   BLOB NOT NULL,
    PRIMARY KEY (peer, lane)
) STRICT, WITHOUT ROWID;

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

-- The journal. Salt and content may be erased at the end of retention; the hashes of the tree stay.
CREATE TABLE leaf (
    position INTEGER PRIMARY KEY,       -- from 0, without a gap
    salt     BLOB,
    content  BLOB,
    nodes    BLOB NOT NULL              -- hashes of the tree nodes that are complete with this leaf, level 0 first
) STRICT;

CREATE TRIGGER leaf_is_not_changed BEFORE UPDATE ON leaf
WHEN new.position != old.position OR new.nodes != old.nodes OR new.salt IS NOT NULL OR new.content IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'a leaf of the journal never changes');
END;

CREATE TRIGGER leaf_is_not_removed BEFORE DELETE ON leaf
BEGIN
    SELECT RAISE(ABORT, 'a leaf of the journal never goes away');
END;

-- Epochs of the journal: the first is 1, every other begins when the node was put back from a backup (docs/protocol.md, "The journal").
CREATE TABLE journal_epoch (
    number INTEGER PRIMARY KEY,
    first  INTEGER NOT NULL             -- position of its first leaf
) STRICT;

INSERT INTO journal_epoch VALUES (1, 0);

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

-- How much room each Party's messages take up, without reading them.
CREATE INDEX crossing_kept ON crossing (direction, peer, length(sealed));
