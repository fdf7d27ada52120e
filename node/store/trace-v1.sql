-- A Party's own traceability data, version 1. Read by node/store/trace.py in one go when the file is new.
--
-- Written so that it can be split over many machines: every look-up is a batch of keys, an event is found from its codes and
-- never the other way round, no key refers to another table, and chains of containers are walked level by level by the caller.
-- A distributed store puts `bucket`, a hash of the code, first in each primary key, keeps a copy of the event in the bucket of
-- each of its codes, and asks one bucket in one statement.

begin immediate;

-- One row for each report, without its codes: a thousand codes share the row. Never changed, never deleted by a recall.
create table event (
    number   integer primary key,  -- short name of the event within this file
    event_id text not null unique, -- as the reporting system gave it
    kind     text not null,        -- word of node.trace.events.EVENT_KINDS
    content  blob not null,        -- BLAKE2b-128 of the report, so that another report under the same event_id is noticed
    body     text not null         -- the event as JSON
) strict;

-- Which events name a code, be it as a content, as a container or as the other name of a pack. The largest table: with the
-- two numbers and the key, some fifty bytes a row.
create table filed (
    key   text not null,    -- canonical key of the code
    event integer not null, -- event.number
    primary key (key, event)
) strict, without rowid;

-- Recalls and confirmations by the event that they speak about, which may not have come in yet.
create table remark (
    about text not null,    -- event_id
    event integer not null, -- event.number of the remark
    primary key (about, event)
) strict, without rowid;

-- Master data; the latest takes the place of the earlier.
create table reference (
    name text not null primary key, -- kind and identifier: "facility F-1"
    body text not null              -- as JSON
) strict, without rowid;

-- One row: what this Party's system records, and up to when everything is reported.
create table coverage (
    only_row integer primary key check (only_row = 1),
    body     text not null          -- as JSON
) strict;

pragma application_id = 1196642388; -- "GSPT"
pragma user_version = 1;

commit;
