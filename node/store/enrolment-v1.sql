-- Invitations and admissions under way at the Secretariat: one row for each Party that was ever invited.

CREATE TABLE enrolment (
    party                TEXT PRIMARY KEY,
    token_hash           BLOB NOT NULL UNIQUE,  -- SHA-256 of the invitation's token; the token itself is kept nowhere
    created              INTEGER NOT NULL,      -- Unix seconds at which the Party was invited
    expires              INTEGER NOT NULL,      -- Unix seconds after which the token is worth nothing
    csr_hash             BLOB NOT NULL,         -- SHA-256 of the request that used the token up; empty before
    admit_body           BLOB NOT NULL,         -- exact bytes that Party and founders sign; empty before
    acceptance           BLOB,                  -- the Party's public key (32 bytes) and signature (64) over them; null before
    founder_signatures   BLOB NOT NULL,         -- the same for each founder who has signed, one after another
    logged_index         INTEGER                -- position in the directory log; null before
) STRICT, WITHOUT ROWID;
