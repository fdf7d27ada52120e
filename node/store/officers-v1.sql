-- Officers of this Party: who they are, what they hold, what waits for a second administrator, and who used which right.

CREATE TABLE officer (
    officer_id           TEXT PRIMARY KEY,      -- opaque; the only thing of an officer that crosses
    sealed_name          BLOB NOT NULL,         -- the person's name, encrypted under the storage key
    authority_kind       TEXT NOT NULL,         -- of the competent authority that the person works for
    authority_name       TEXT NOT NULL,
    state                TEXT NOT NULL,         -- invited, active, withdrawn
    created              INTEGER NOT NULL,      -- Unix seconds
    life_s               INTEGER NOT NULL,      -- how long each certificate lives, in seconds
    token_hash           BLOB UNIQUE,           -- hash of the newest code's token; the token itself is kept nowhere; null without one
    token_expires        INTEGER,               -- Unix seconds from which on the code is worth nothing
    used_key             BLOB,                  -- public key of the officer who used the code; empty before
    used_certificate     BLOB                   -- certificate that was issued for it, given again to the same key; empty before
) STRICT, WITHOUT ROWID;

CREATE TABLE certificate (
    hash                 BLOB PRIMARY KEY,      -- SHA-256 of the certificate
    officer_id           TEXT NOT NULL REFERENCES officer (officer_id),
    place                INTEGER NOT NULL,      -- in the order in which the officer got them
    der                  BLOB NOT NULL,         -- exact bytes
    not_after            INTEGER NOT NULL,      -- Unix seconds at which it ends by itself
    withdrawn            INTEGER                -- Unix seconds since when it is worth nothing here; null while it is good
) STRICT, WITHOUT ROWID;

CREATE INDEX certificate_of ON certificate (officer_id, place);

CREATE TABLE held (
    officer_id           TEXT NOT NULL REFERENCES officer (officer_id),
    "right"              TEXT NOT NULL,         -- ask, answer, approve, administer, audit, report
    authority_kind       TEXT NOT NULL,         -- for which competent authority
    authority_name       TEXT NOT NULL,
    purposes             TEXT NOT NULL,         -- with spaces between; empty for rights that are not about questions
    PRIMARY KEY (officer_id, "right", authority_kind, authority_name)
) STRICT, WITHOUT ROWID;

CREATE TABLE proposal (
    proposal_id          TEXT PRIMARY KEY,
    kind                 TEXT NOT NULL,         -- invite, reenrol, grant
    proposer             TEXT NOT NULL,         -- id of the administrator who wants it
    created              INTEGER NOT NULL,      -- Unix seconds
    state                TEXT NOT NULL,         -- open, approved, declined
    decided_by           TEXT NOT NULL,         -- id of the second administrator; empty before
    sealed               BLOB NOT NULL          -- JSON of the officer and of the grants that it is about, encrypted
) STRICT, WITHOUT ROWID;

CREATE INDEX proposal_open ON proposal (state, created);

CREATE TABLE used (
    line                 INTEGER PRIMARY KEY,   -- in the order in which it was written
    at                   INTEGER NOT NULL,      -- Unix seconds
    officer_id           TEXT NOT NULL,         -- who; empty for the operator with the keystore's passphrase
    act                  TEXT NOT NULL,         -- the method of the desk or of the administration, or enrol
    "right"              TEXT NOT NULL,         -- that made it possible; empty when none was needed
    message_id           BLOB NOT NULL,         -- what it was about, or empty
    subject              TEXT NOT NULL,         -- id of the officer whom it was about, or empty
    words                TEXT NOT NULL          -- what was granted or withdrawn; no person
) STRICT;

CREATE INDEX used_at ON used (at);
