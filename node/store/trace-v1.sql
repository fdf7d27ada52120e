-- A Party's own traceability data.
--
-- Written so that it can be split over many machines: every look-up is a batch of keys, an event is found from its codes and
-- never the other way round, no key refers to another table, and chains of containers are walked level by level by the caller.
-- A distributed store puts `bucket`, a hash of the code, first in each primary key, keeps a copy of the event in the bucket of
-- each of its codes, and asks one bucket in one statement.

-- One row for each report, without its codes: a thousand codes share the row. Never changed, never deleted by a recall.
CREATE TABLE event (
    number   INTEGER PRIMARY KEY,  -- short name of the event within this file
    event_id TEXT NOT NULL UNIQUE, -- as the reporting system gave it
    kind     TEXT NOT NULL,        -- word of node.trace.events.EVENT_KINDS
    content  BLOB NOT NULL,        -- BLAKE2b-128 of the report, so that another report under the same event_id is noticed
    body     TEXT NOT NULL         -- the event as JSON
) STRICT;

-- Which events name a code, be it as content, as container or as the other name of a pack. The largest table: some fifty bytes
-- a row, and three or four rows for each pack.
CREATE TABLE filed (
    key   TEXT NOT NULL,           -- canonical key of the code
    event INTEGER NOT NULL,        -- event.number
    PRIMARY KEY (key, event)
) STRICT, WITHOUT ROWID;

-- Recalls and confirmations by the event that they speak about, which may not have come in yet.
CREATE TABLE remark (
    about TEXT NOT NULL,           -- event_id
    event INTEGER NOT NULL,        -- event.number of the remark
    PRIMARY KEY (about, event)
) STRICT, WITHOUT ROWID;

-- Master data; the latest takes the place of the earlier.
CREATE TABLE reference (
    name TEXT NOT NULL PRIMARY KEY, -- kind and identifier: "facility QNF001"
    body TEXT NOT NULL              -- as JSON
) STRICT, WITHOUT ROWID;

-- One row: what this Party's system records, and up to when everything is reported.
CREATE TABLE coverage (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    body TEXT NOT NULL              -- as JSON
) STRICT;
