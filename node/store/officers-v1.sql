-- Officers of this Party: who they are, what they hold, what waits for a second administrator, and who used which right.

CREATE TABLE officer (
    officer_id           TEXT PRIMARY KEY,      -- opaque; the only thing of an officer that crosses
    created              INTEGER NOT NULL,      -- Unix seconds; the order in which officers are listed
    token_hash           BLOB UNIQUE,           -- hash of the newest code's token, to find the officer by; null without one
    sealed               BLOB NOT NULL          -- JSON of the officer: name, authority, state, rights, certificates, code; encrypted, so
                                                -- that a stolen disk names nobody, and authentic, so that who writes to the disk
                                                -- without the storage key can put back an older state and make none
) STRICT, WITHOUT ROWID;

CREATE TABLE proposal (
    proposal_id          TEXT PRIMARY KEY,
    state                TEXT NOT NULL,         -- open, approved, declined; to find the open ones by
    created              INTEGER NOT NULL,      -- Unix seconds
    sealed               BLOB NOT NULL          -- JSON of the proposal, as above
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
