-- The directory log: a node's replica, or the Secretariat's original. Nothing in it is secret, and nothing is believed unread.

-- Signed entries as they were logged. Appended to, never changed.
CREATE TABLE leaf (
    position INTEGER PRIMARY KEY,       -- from 0, without a gap
    entry    BLOB NOT NULL,             -- exact bytes of the signed entry
    nodes    BLOB NOT NULL              -- hashes of the tree nodes that are complete with this leaf, level 0 first
) STRICT;

CREATE TRIGGER leaf_is_not_changed BEFORE UPDATE ON leaf
BEGIN
    SELECT RAISE(ABORT, 'a leaf of the directory never changes');
END;

CREATE TRIGGER leaf_is_not_removed BEFORE DELETE ON leaf
BEGIN
    SELECT RAISE(ABORT, 'a leaf of the directory never goes away');
END;

-- The newest checkpoint; it covers exactly the leaves above.
CREATE TABLE checkpoint (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    note BLOB NOT NULL                  -- signed note with the cosignatures that have come in
) STRICT;

-- What this node has cosigned: the largest checkpoint, written down before the cosignature left. It grows, and never changes its root.
CREATE TABLE cosigned (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    size INTEGER NOT NULL,
    root BLOB NOT NULL,                 -- 32 bytes
    note BLOB NOT NULL                  -- the checkpoint under the log's signature: half a proof, if ever another one turns up
) STRICT;

CREATE TRIGGER cosigned_goes_forward BEFORE UPDATE ON cosigned
WHEN new.size < old.size OR (new.size = old.size AND new.root <> old.root)
BEGIN
    SELECT RAISE(ABORT, 'a witness never cosigns two histories');
END;

CREATE TRIGGER cosigned_is_not_removed BEFORE DELETE ON cosigned
BEGIN
    SELECT RAISE(ABORT, 'a witness never forgets what it cosigned');
END;

-- One row: this file was put back from a backup, and what was cosigned after the backup is not in it.
CREATE TABLE restored (
    id INTEGER PRIMARY KEY CHECK (id = 1)
) STRICT;

-- Proven split views, and revocations that were seen before the log held them. They outlive a restart.
CREATE TABLE notice (
    digest BLOB PRIMARY KEY,            -- SHA-256 of the kind and the bytes
    kind   TEXT NOT NULL,               -- split-view or revocation
    raw    BLOB NOT NULL                -- encoded split view, or signed entry
) STRICT;

-- At the Secretariat alone: the newest checkpoint that enough witnesses cosigned. It covers a beginning of the leaves.
CREATE TABLE published (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    size INTEGER NOT NULL,
    note BLOB NOT NULL
) STRICT;

CREATE TRIGGER published_goes_forward BEFORE UPDATE ON published
WHEN new.size < old.size
BEGIN
    SELECT RAISE(ABORT, 'what was published is not taken back');
END;
