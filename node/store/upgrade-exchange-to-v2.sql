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
