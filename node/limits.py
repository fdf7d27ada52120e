"""Every bound of a node in itself, with its reason: what it keeps and reads at home. What crosses is in `federation.limits`."""

from __future__ import annotations

from typing import Final

from federation.limits import CODES_PER_QUERY_MAX, SCAN_KEYS_MAX

# --- stores --------------------------------------------------------------------------------------------------------
STORE_WAITING_MAX: Final = 4_096
"""Calls that wait for one store; further callers wait for room. Sixteen full group commits."""
STORE_BUSY_S: Final = 5.0
"""How long another program (a copy, an administrator's shell) may hold a store's file before calls fail."""
STORE_QUIET_S: Final = 2.0
"""After a pause this long the write-ahead log is emptied, and with it what was deleted in the file itself before."""
STORE_LOG_AGE_S: Final = 60.0
"""Under load, without such a pause, the log is emptied this often: what was destroyed is not to lie in it for a day."""
STORE_WAL_PAGES: Final = 4_000
"""Pages of 4 KiB in the write-ahead log before they are moved into the file: 16 MiB, moved in some tens of milliseconds."""
STORE_STATEMENTS_MAX: Final = 128
"""Prepared statements kept for one connection: more than a store has."""

# --- keystore ------------------------------------------------------------------------------------------------------
KEYSTORE_BYTES_MAX: Final = 1_048_576
"""A keystore file: all its secrets at their largest."""
KEYSTORE_HEADER_BYTES_MAX: Final = 1_024
"""Eight short fields in JSON."""
KEYSTORE_SECRETS_MAX: Final = 64
"""A Party's node needs ten; a change of keys doubles them."""
SECRET_BYTES_MAX: Final = 4_096
"""Seeds have 32 bytes, and a key in PKCS #8 a few hundred."""
PASSPHRASE_BYTES_MIN: Final = 8
"""Argon2id slows guessing down, but nothing helps against a passphrase of a few letters."""
PASSPHRASE_BYTES_MAX: Final = 1_024
"""What comes from a file that was named by mistake is not hashed for minutes."""
ARGON2_PASSES_MAX: Final = 4
"""The strongest setting has three."""
ARGON2_MEMORY_BYTES_MAX: Final = 268_435_456
"""What the strongest setting writes (256 MiB): a file that asks for more is not one of ours and would exhaust the machine."""

# --- the ceremony and joining ----------------------------------------------------------------------------------------
CEREMONY_FILE_BYTES_MAX: Final = 65_536
"""A file that people carry between the machines of a ceremony: the largest holds one directory entry."""
PENDING_ENTRIES_MAX: Final = 64
"""Entries that wait for founders at one time: founders read each of them aloud, so that more never come together."""
STATUS_FILE_BYTES_MAX: Final = 262_144
"""What the Secretariat's node last knew of everybody it waits for: some hundred bytes for each Party."""
STATUS_S: Final = 60
"""How often a running Secretariat says in its status file that it still runs."""
JOIN_CERTIFICATE_RENEW_S: Final = 30 * 86_400
"""The join port's certificate is made anew at a start within a month of its end: after the codes that name the old one have ended."""

# --- discovery -----------------------------------------------------------------------------------------------------
HINTS_MAX: Final = 64
"""Join ports that are looked at on a local network; whoever announces more than that wants to be in the way."""

# --- backups -------------------------------------------------------------------------------------------------------
BACKUP_HEADER_BYTES_MAX: Final = 1_024
"""Seven short fields in JSON."""
BACKUP_MANIFEST_BYTES_MAX: Final = 65_536
"""Names and sizes of all files, some 100 bytes each."""
BACKUP_FILES_MAX: Final = 128
"""Seven files of a node, and one for each pattern set of a region that answers for many."""
BACKUP_DATABASE_BYTES_MAX: Final = 2**40
"""One database: a tebibyte, more than the traceability data of any Party in this store. A file cannot make a machine write for ever."""
BACKUP_SMALL_FILE_BYTES_MAX: Final = 65_536
"""Settings, certificates, and how far joining has come."""
BACKUP_PIECE_BYTES: Final = 1_048_576
"""Read, sealed and written at once, however large the databases are."""
STORE_COPY_KEPT_S: Final = 30 * 86_400
"""A month shows whether an upgrade was good; after it, the copy that was made before it is only a second place to steal from."""

# --- the library ---------------------------------------------------------------------------------------------------
PATTERN_SOURCES_MAX: Final = 3
"""Nodes beside the owner that are asked for a missing set at each look: the next look begins with others."""
QUARANTINE_WORDS_MAX: Final = 500
"""Why a set is not used, as the officer reads it."""
LIBRARY_ROWS_PER_REPLY_MAX: Final = 200
"""Parties in one reply about the library, a few hundred bytes each."""

# --- what came in, and the clock ----------------------------------------------------------------------------------
MESSAGES_PER_PARTY_PER_S: Final = 600.0
"""From one Party for long: more than two cores answer. All that may wait for us (OUTBOX_PER_PARTY_MAX) may come at once."""
BYTES_PER_PARTY_PER_DAY: Final = 2_147_483_648
"""From one Party: its whole outbox at 200 KiB each, or a thousand containers with full histories."""
BYTES_KEPT_PER_PARTY_MAX: Final = 68_719_476_736
"""Of one Party on our disk: five years of RETENTION_S at ten thousand small messages a day."""
KEPT_WARNED: Final = 0.8
"""Of that: from here on the operator is told, while there is time to ask the Party."""
CLOCK_JUMP_S: Final = 30.0
"""A clock that gains more than this on the machine's own timer between two looks was set; what is adjusted slowly is not noticed."""
CLOCK_HOLD_S: Final = 86_400.0
"""So long nothing is destroyed or ended on the word of a clock that jumped ahead and that no other node confirms: an operator looks
within a day, and a Party whose clock was wrong before does not wait for ever."""
POISONS_MAX: Final = 256
"""Messages remembered over which this node failed: the first ones say what is wrong with it."""
HELD_ROWS_MAX: Final = 200
"""Messages in one list of what peers refused for good: a person looks at each."""

# --- a Party's own traceability data -------------------------------------------------------------------------------
TRACE_CODES_PER_EVENT_MAX: Final = 10_000
"""Codes named by one event: twenty master cases of packs; a longer report is split."""
TRACE_ROWS_PER_PUT_MAX: Final = 100_000
"""Reports and codes in one transaction: a second or two of the disk, so that the next writer is not kept waiting."""
TRACE_KEYS_PER_LOOKUP_MAX: Final = CODES_PER_QUERY_MAX * SCAN_KEYS_MAX
"""Every code of the largest query, each with all its candidate keys."""
TRACE_EVENTS_PER_LOOKUP_MAX: Final = 100_000
"""Events read for one look-up: a hundred for each code of the largest query. More is a fault in the data."""
CONTAINMENT_LEVELS_MAX: Final = 8
"""Carton, case, pallet, shipping container, and as many again; a longer chain of containers is a fault in the data."""
TRACE_LINE_BYTES_MAX: Final = 2_097_152
"""One line of a traceability file: an event with TRACE_CODES_PER_EVENT_MAX codes of KEY_CHARACTERS_MAX characters."""
TRACE_PARTS_MAX: Final = 16
"""Countries of an intended route, documents of one shipment: the longest in practice have five."""
ANOMALIES_PER_CODE_MAX: Final = 32
"""Contradictions told of one code: the first ones say what is wrong."""
UNUSED_CODE_LIFE_S: Final = 183 * 86_400
"""Codes that were not used within six months are void (Regulation (EU) 2018/574)."""
