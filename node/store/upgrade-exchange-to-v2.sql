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
