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
