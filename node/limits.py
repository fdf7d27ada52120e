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
OFFICERS_AT_HAND_MAX: Final = 1_024
"""Officers remembered between two calls of theirs at the desk: more than are at their desks at once."""
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

# --- what officers see of peers ------------------------------------------------------------------------------------
PEER_ROUND_TRIPS_KEPT: Final = 16
"""Calls of which the median is shown as a peer's delay: enough to be calm, few enough to be of today."""
PEER_SEEN_WRITE_S: Final = 60.0
"""What was seen of a peer is written down at most this often: a minute of memories may be lost with the power."""
PEER_WAITING_SHOWN_MAX: Final = 20
"""Messages that wait for one peer as `gsp peers PARTY` lists them: a screen."""
WHY_CANDIDATES_MAX: Final = 8
"""Messages named when the beginning of an id fits several: whoever sees so many types one more character."""
WHY_LINES_MAX: Final = 1_024
"""Lines of one query and its answers: a handful each, and some thirty more where everything went wrong that can."""

# --- files that are carried ------------------------------------------------------------------------------------------
PARCEL_PART_BYTES: Final = 1_048_576
"""One part of a file on its way to the desk: well below a message, and sixteen make the largest."""
PARCELS_AT_DESK_MAX: Final = 2
"""Files that are being imported at one time, in memory: two stations with a stick each, and some 50 MiB."""
PARCEL_AT_DESK_S: Final = 600
"""An import that nobody goes on with for ten minutes gives way."""
PARCEL_ITEMS_PER_CALL: Final = 16
"""Messages and receipts that one call takes: with the slowest automatic answers far below RPC_TIMEOUT_S."""

# --- reconciling with peers ----------------------------------------------------------------------------------------
RECONCILE_EVERY_S: Final = 86_400
"""How often a node asks a peer for its account while anything that crossed waits to be compared: a loss is known the next day."""
RECONCILE_QUIET_S: Final = 7 * 86_400
"""How often it asks a peer with which nothing has crossed since: a journal that is rewritten meanwhile is found within the week."""
RECONCILE_RETRY_S: Final = 3_600
"""A peer that gave none is asked again after an hour: it is not urgent, and a call to a dead node takes a while."""
RECONCILE_LOOK_S: Final = 600.0
"""How often a node looks whom it has to ask."""
RECONCILE_GRACE_S: Final = 3_600
"""A day is compared an hour after its end: clocks differ, and what was on its way has arrived."""
RECONCILE_ROUNDS_MAX: Final = 64
"""Accounts in one visit: more than five years of days (ACCOUNT_DAYS_MAX each), or 8,000 receipts; the next visit goes on."""
RECONCILE_CALLS_PER_HOUR_MAX: Final = 512
"""Of one Party: all rounds of a visit, and as many listings. Each may read a whole day from the disk."""
RECONCILE_SORT_ROWS: Final = 500
"""Crossings sorted under their days in one transaction: some 20 ms, so that no receipt waits for it."""
RECONCILE_DAYS_BACK: Final = 1_765
"""Days that are compared: two months less than RETENTION_S, so that no node asks about what the other has erased in good order."""
LISTING_PAGES_MAX: Final = 64
"""Pages of one day's listing that are read: LISTING_ROWS_MAX each, far more than a Party asks another in a day."""
RESENT_PER_VISIT_MAX: Final = 256
"""Messages sent again to a peer that lost them, in one visit: a minute of its time."""
RESEND_S: Final = 7 * 86_400
"""A message that a peer lost is sent again for a week. What it refuses that long, it will refuse."""
ALARMS_PER_VISIT_MAX: Final = 8
"""Alarms of one visit that are kept, with the signed statements: a rewritten journal contradicts every later checkpoint."""
RETENTION_ROWS: Final = 200
"""Messages erased in one commit: some 20 ms."""
RETENTION_STEPS_MAX: Final = 50
"""Commits of the sweep at one look: 10,000 messages in ten minutes, more than any node takes in."""
RECONCILE_SILENT_S: Final = 3 * 86_400
"""A peer that gives no account for so long is told of: over a weekend nobody could do anything about it."""

# --- evidence in bulk ------------------------------------------------------------------------------------------------
PROOFS_PER_RUN_MAX: Final = 1_000
"""Proof files that one run writes: some minutes of a node that has other things to do. The next run goes on."""

# --- the audit -------------------------------------------------------------------------------------------------------
AUDIT_RECORDS_PER_CALL: Final = 200
"""Records of the journal that one call reads: a millisecond each with the message that it is about, and others are served between."""
AUDIT_CALLS_MAX: Final = 100
"""Calls of one search on a terminal, and so 20,000 records: longer ones are exported."""
AUDIT_LIFE_S: Final = 86_400
"""A search goes on from its closing line for a day; states of queries change, and a longer one would show two times as one."""
AUDIT_CLOCK_BACK_S: Final = 86_400
"""Records stand in the order in which they were written. A clock that was put back by up to a day hides none of them from a search."""
AUDIT_FILE_BYTES_MAX: Final = 268_435_456
"""An exported search: some 400 bytes a row, and so half a million records."""

# --- attachments -----------------------------------------------------------------------------------------------------
UPLOAD_CHUNK_BYTES: Final = 262_144
"""A piece of a file on its way from an officer's program: a few milliseconds to encrypt and to hash, and each is signed."""
UPLOADS_PER_OFFICER_MAX: Final = 32
"""Files that an officer has brought and not yet sent: two messages full of them."""
UPLOADS_MAX: Final = 400
"""The same of all officers together."""
UPLOAD_LIFE_S: Final = 1_800
"""Files that were brought and never sent are removed: longer than the largest takes to come, and than a draft lives."""
ATTACHMENTS_AT_ONCE_MAX: Final = 16
"""Files fetched at one time, from all peers: with a few pieces each in memory, some megabytes."""
ATTACHMENTS_AT_ONCE_PER_PARTY_MAX: Final = 2
"""The same from one peer: two that are slow leave room for the others. Fewer than it serves."""
ATTACHMENT_BYTES_PER_PARTY_DAY_MAX: Final = 2_147_483_648
"""Files of one peer that arrive within a day: ten of the largest messages. What is beyond waits for the next day."""
ATTACHMENTS_PER_PARTY_DAY_MAX: Final = 5_000
"""The same in number: small files cost a row, a file and a journal record each."""
ATTACHMENT_LATER_S: Final = 3_600
"""A file for which there is no room, or whose sender sent something else, is tried again this often."""
ATTACHMENT_PROGRESS_BYTES_MIN: Final = 65_536
"""A call that brought less counts as one that brought nothing: whoever sends a byte at a time waits longer and longer."""
SPOOL_BYTES_MAX: Final = 68_719_476_736
"""All files here together: 64 GiB, a thousand phone photos a month for the time that evidence is kept."""
SPOOL_FREE_BYTES_MIN: Final = 1_073_741_824
"""What files leave free on the disk: queries, receipts and the journal need it more."""
ATTACHMENT_KEPT_S: Final = 30 * 86_400
"""The sender keeps a file for a month after it arrived: a peer that is put back from a backup fetches it again."""
ATTACHMENT_WAIT_S_MAX: Final = 120 * 86_400
"""A file that could not be fetched for so long is given up: a month beyond the longest deadline."""
SPOOL_SWEEP_S: Final = 3_600
"""Files and rows are compared this often, and at the start."""

# --- pictures ------------------------------------------------------------------------------------------------------
DOTCODE_SIDE_MAX: Final = 200
"""Rows or columns of a DotCode: AIM recommends at most 124; a marking of law, 100 characters, needs fewer than 60."""
DOTCODE_PIXELS_MAX: Final = 4_000_000
"""The largest size in which a picture is searched for dots: a pack that fills it shows a symbol at ten times what is needed."""
DOTCODE_DOTS_MAX: Final = 3_000
"""What may be dots in one size of a picture: 8 symbols of 400 dots. A picture of gravel has more, and takes no more time."""
DOTCODE_SEEDS_MAX: Final = 400
"""Where a lattice is begun in one size of a picture, to no end in most: text and texture have square corners too."""
STRIPES_PIXELS_MAX: Final = 4_000_000
"""The size in which the directions of bars are looked for: in a larger picture bars are as much wider."""
STRIPES_TURNS_MAX: Final = 3
"""Turns of one picture until bars stand upright, each a pass over all of it: packs on a table lie in a few directions."""

# --- transport -----------------------------------------------------------------------------------------------------
GRPC_MESSAGE_BYTES_MAX: Final = 4_194_304
"""gRPC's own default, which every other implementation has as well."""
GRPC_METADATA_BYTES_MAX: Final = 16_384
"""The desk's calls carry an officer's certificate; nodes' calls carry almost nothing."""
GRPC_STREAMS_MAX: Final = 100
"""Calls on one connection at one time: more than IN_FLIGHT_PER_PARTY_MAX, and few enough for rapid resets."""
GRPC_HANDSHAKE_MS: Final = 5_000
"""The default of 120 s lets idle connections pile up."""
GRPC_CONNECTION_AGE_MS: Final = 300_000
"""Removed trust does not cut live connections before this."""
CALLS_PER_PARTY_PER_S: Final = 2_000.0
"""A bound against floods, far above what two cores can answer."""
CALLS_PER_PARTY_BURST: Final = 4_000
"""Two seconds of the rate: what gathers while a node is restarted."""
GRPC_CONNECTION_GRACE_MS: Final = 25_000
"""A call that is under way when its connection grows old may end: one RPC_TIMEOUT_S and a little."""
GRPC_CONNECTION_IDLE_MS: Final = 60_000
"""A connection that nobody uses costs memory here and a few milliseconds to make again there."""
GRPC_CONNECTIONS_MAX: Final = 2_000
"""Connections to one port: five for each of PARTIES_MAX, some 100 KiB each."""
GRPC_PING_MS_MIN: Final = 60_000
"""Peers that ping more often than this are cut off (ping floods)."""
GRPC_KEEPALIVE_MS: Final = 90_000
"""How often a client asks whether a connection with calls on it is alive: less often than a server minds."""
GRPC_KEEPALIVE_TIMEOUT_MS: Final = 10_000
"""Bytes that nobody confirms for this long mean a dead connection; shorter than RPC_TIMEOUT_S."""
GRPC_RECONNECT_MS_MIN: Final = 500
"""The first try after a connection broke; a network that blinks is not noticed."""
GRPC_RECONNECT_MS_MAX: Final = 5_000
"""The outbox backs off by itself; the channel below it must not be the slower one (its default is two minutes)."""
GRPC_STOP_GRACE_S: Final = 5.0
"""A node that stops lets calls end for this long; peers repeat what is cut."""
CHANNELS_MAX: Final = 512
"""Open channels: a node of every Party, the Secretariat's, and room for second nodes."""
JOIN_CALLS_PER_ADDRESS_PER_S: Final = 5.0
"""A Party joins once, in a handful of calls, and then asks now and then how far it is."""
JOIN_CALLS_PER_ADDRESS_BURST: Final = 100
"""A Party that waits for its founders asks twice a second, and several may sit behind one address."""
DESK_CALLS_PER_ADDRESS_PER_S: Final = 500.0
"""A national system that asks for all its officers comes from one address; what one officer may do is another budget."""
DESK_CALLS_PER_ADDRESS_BURST: Final = 2_000
"""Four seconds of the rate: an operation begins and everybody scans at once."""
GUEST_ADDRESSES_MAX: Final = 4_096
"""Addresses whose use is remembered; the one not heard of for longest is forgotten first."""
ERROR_TEXT_CHARACTERS_MAX: Final = 500
"""Message and hint of an error, each: two sentences, and small enough for the trailing metadata."""

# --- the desk ------------------------------------------------------------------------------------------------------
DESK_CHALLENGE_LIFE_S: Final = 60
"""A challenge is used within one round trip; a minute bridges a slow line."""
DESK_CHALLENGES_MAX: Final = 4_096
"""Challenges that wait to be used, 100 bytes each: far more than a Party has officers at work in one minute."""
DESK_SCANS_PER_CALL_MAX: Final = 50
"""Scans resolved in one call: with CANDIDATES_MAX each, and their reasons, the reply stays below a message."""
DESK_WAIT_S_MAX: Final = 10.0
"""How long one call waits for an answer: less than RPC_TIMEOUT_S; whoever wants to wait longer calls again."""
ANSWER_FILE_BYTES_MAX: Final = 16_777_216
"""An answer as JSON for people: five times as long as the body that is made from it."""
OFFICER_CERTIFICATE_WARN_S: Final = 14 * 86_400
"""Two weeks before its certificate ends an officer is told: administrators go on holiday too."""
OFFICER_TOKEN_LIFE_S: Final = 7 * 86_400
"""A desk code goes to another office by hand; a lost one is worth nothing after a week."""
OFFICERS_MAX: Final = 10_000
"""Officers of one Party, the withdrawn ones too: a large customs service has some thousand who look into a tracing system."""
GRANTS_PER_OFFICER_MAX: Final = 64
"""Six rights for each of a few competent authorities."""
CERTIFICATES_PER_OFFICER_MAX: Final = 16
"""Certificates of one officer that are kept: four a year, and an administrator who tries several machines."""
PROPOSALS_MAX: Final = 200
"""Acts of administrators that wait for a second one: a screen, and nobody reads more."""
PROPOSAL_LIFE_S: Final = 30 * 86_400
"""Whoever has not approved within a month does not remember what it was about."""
USES_TOLD_MAX: Final = 4_096
"""Uses of rights of this day that are kept at hand, so that an officer who waits for an answer is recorded once and not each time."""
