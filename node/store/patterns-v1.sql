-- Pattern sets of all Parties. The directory names each by its digest; whatever is lost here is fetched again.

CREATE TABLE pattern_set (
    digest  BLOB NOT NULL UNIQUE,       -- SHA-256 of the encoded set
    encoded BLOB NOT NULL
) STRICT;
