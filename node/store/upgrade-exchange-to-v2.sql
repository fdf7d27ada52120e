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
