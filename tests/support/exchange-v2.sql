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
    problem      TEXT NOT NULL
) STRICT;

CREATE INDEX outgoing_due ON outgoing (peer, next_attempt);

-- The Parties that anything waits for, found by one step through the index for each, however many messages wait.
CREATE VIEW outgoing_peer AS
WITH RECURSIVE waiting (peer) AS (
    SELECT min(peer) FROM outgoing
    UNION ALL
    SELECT (SELECT min(outgoing.peer) FROM outgoing WHERE outgoing.peer > waiting.peer) FROM waiting WHERE waiting.peer IS NOT NULL
)
SELECT peer FROM waiting WHERE peer IS NOT NULL;

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
