"""Every bound of the protocol, with its reason. A bound without a reason does not belong here.

Sizes are in bytes, times in seconds unless the name says otherwise.
"""

from __future__ import annotations

from typing import Final

TIME_S_MAX: Final = 253_402_300_799
"""Last second of the year 9999: what a calendar can show."""

# --- codes and scans -----------------------------------------------------------------------------------------------
SCAN_CHARACTERS_MAX: Final = 512
"""A raw scan. The longest code in law has 100 characters (EU 2018/574 Art. 10); a Digital Link URI that carries one,
percent-encoded, stays below 400."""
KEY_CHARACTERS_MAX: Final = 100
"""A canonical key: the longest aggregated UI of Regulation (EU) 2018/574."""
SCAN_KEYS_MAX: Final = 8
"""Candidate keys of one scan: more spellings than this are ambiguity, not help."""
PATTERNS_PER_PARTY_MAX: Final = 500
"""Patterns in one Party's set: the EU has some thirty issuers with a few forms each."""
PATTERN_SEGMENTS_MAX: Final = 16
"""Segments in one pattern: the longest form in use has nine."""
SEGMENT_NAME_CHARACTERS_MAX: Final = 40
"""The name of a segment: one or two words."""
PATTERN_EXAMPLES_MAX: Final = 32
"""Examples and counter-examples of one pattern, each."""
PATTERN_TEXT_CHARACTERS_MAX: Final = 1_000
"""A description or a source in a pattern: people read it on a screen."""
PATTERN_SET_BYTES_MAX: Final = 1_048_576
"""One Party's encoded pattern set: 500 patterns at 2 KiB each."""
PATTERN_DECODINGS_MAX: Final = 16
"""Facts that one code tells by itself: four items with a few fields each."""
DECODING_ROWS_MAX: Final = 500
"""Rows of all tables of one pattern: the machines or products of a large maker. Longer lists belong into an answer."""
CLUE_CHARACTERS_MAX: Final = 100
"""A brand, as it stands on a pack."""
LANGUAGES_PER_PARTY_MAX: Final = 16
"""Languages of one Party's health warnings."""
BRANDS_PER_PARTY_MAX: Final = 1_000
"""Brands that one Party names: those on its market, not every variant of them."""
COMPANY_PREFIXES_PER_PARTY_MAX: Final = 10_000
"""Company prefixes of one Party: far more than a territory has makers and importers of tobacco."""
PATTERNS_WITHOUT_START_MAX: Final = 64
"""Patterns of one set that begin with no fixed text: each may be tried against every code of its length."""
PATTERN_FILE_BYTES_MAX: Final = 4_194_304
"""One pattern file in TOML, which is about four times as long as what is encoded from it."""
CANDIDATES_MAX: Final = 16
"""Candidates shown for one code: a longer list is no answer."""
CANDIDATES_PER_PARTY_MAX: Final = 4
"""Candidates of one Party for one code: so that no Party crowds the others out with patterns that fit everything."""
STAMP_AHEAD_S_MAX: Final = 86_400
"""A code's time of production may lie a day ahead: makers' clocks run in local time, and batches are marked in advance."""
PICTURE_BYTES_MAX: Final = 20_971_520
"""A photo from a phone camera; larger ones are refused before they are decoded."""
PICTURE_PIXELS_MAX: Final = 50_000_000
"""Decoded size of a photo: small files can unpack to gigabytes."""
PICTURE_SIDE_MAX: Final = 32_768
"""A panorama of a pallet; no camera makes longer ones, and a picture one pixel high is none."""
PICTURE_PIXELS_THOROUGH: Final = 4_000_000
"""Up to here every pass is made. Of larger photos the further passes are made when something was not read: each costs a second."""
PICTURES_PER_SCAN_MAX: Final = 100
"""Photos in one command: some minutes of reading, and a result that a person still looks through."""

# --- queries and answers -------------------------------------------------------------------------------------------
CODES_PER_QUERY_MAX: Final = 1_000
"""One container holds about 1,000 cases; a larger seizure is split."""
NECESSITY_CHARACTERS_MAX: Final = 2_000
"""Why the question is needed (Article 8.9(b)): a page of text."""
TEXT_CHARACTERS_MAX: Final = 4_000
"""Free text of an officer in an answer or a note."""
VALUE_CHARACTERS_MAX: Final = 1_000
"""One field of an item: names, addresses and descriptions fit."""
VALUES_PER_ITEM_MAX: Final = 200
"""Fields in one item: a pack's movements through a long chain, a few fields each."""
REFERENCE_CHARACTERS_MAX: Final = 100
"""A case reference of the asking authority."""
MARKET_STATEMENT_CHARACTERS_MAX: Final = 300
"""What a pack says of where it may be sold: a sentence, in one or two languages."""
POLICY_BYTES_MAX: Final = 65_536
"""An encoded policy: some hundred rules that name a few Parties and items each."""
PARTIAL_ANSWERS_MAX: Final = 60
"""Answers that say that more will come, to one query: all of them are shown together, and fit into one proof with the query and the
last one."""
QUERY_DEADLINE_S_MIN: Final = 60
"""A shorter one would pass while the first envelope is on its way."""
QUERY_DEADLINE_S_MAX: Final = 90 * 86_400
"""Ninety days: the longest limit that comparable mutual-assistance rules give (Regulation 389/2012)."""
QUERY_DEADLINE_S_DEFAULT: Final = 7 * 86_400
"""Seven days: the usual limit of Directive (EU) 2023/977."""

# --- envelope ------------------------------------------------------------------------------------------------------
ENVELOPE_BYTES_MAX: Final = 4_194_304 - 65_536
"""One envelope in one gRPC message of 4 MiB, with room for the framing."""
HEADER_BYTES_MAX: Final = 8_192
"""A header is routing, commitments and one checkpoint: 1 to 2 KiB in practice with 20 cosignatures left out."""
STATEMENT_BYTES_MAX: Final = 4_096
"""A statement has fixed fields and digests only."""
BODY_BYTES_MAX: Final = 3_145_728
"""1,000 codes with three kilobytes each; of longer histories the answer tells the ends. The padding may add an eighth."""
PADDING_FLOOR_BYTES: Final = 256
"""Smaller bodies are all padded to this size."""
CERTIFICATE_BYTES_MAX: Final = 4_096
"""A P-256 or P-384 certificate with constraints is below 1 KiB in DER."""
CLOCK_TOLERANCE_S: Final = 300
"""A peer's clock may be five minutes off in an envelope's times; TLS refuses more by itself."""
STATEMENT_LIFE_S_MAX: Final = QUERY_DEADLINE_S_MAX
"""How long the word of a statement counts for when its officer signed: as long as the longest query may wait."""
ENVELOPE_LIFE_S_MAX: Final = 21 * 86_400
"""No envelope lives longer than the private half of the prekey it is sealed to."""

# --- attachments ---------------------------------------------------------------------------------------------------
ATTACHMENT_BYTES_MAX: Final = 52_428_800
"""One file: a photo of any camera, or a long document that was scanned."""
ATTACHMENTS_PER_MESSAGE_MAX: Final = 16
"""Files of one message: a seizure from all sides. Each takes some 100 bytes of the header."""
ATTACHMENTS_BYTES_PER_MESSAGE_MAX: Final = 209_715_200
"""All files of one message: some minutes of a slow line."""
ATTACHMENT_NAME_CHARACTERS_MAX: Final = 120
"""A file's name, below what every file system takes, in any script."""
ATTACHMENT_CHUNK_BYTES_MAX: Final = 262_144
"""One piece of a stream: what either side holds in memory of a file at one time."""
ATTACHMENT_STREAMS_PER_PARTY_MAX: Final = 4
"""Streams to one peer at one time: more would not be faster."""

# --- prekeys, certificates -----------------------------------------------------------------------------------------
PREKEY_OFFER_S: Final = 7 * 86_400
"""Senders use a prekey for seven days after its bundle was signed."""
PREKEY_DESTROY_S: Final = 21 * 86_400
"""The private half is destroyed after 21 days: forward secrecy starts there."""
PREKEY_ROTATE_S: Final = 86_400
"""A node makes a new bundle each day."""
PREKEYS_PER_BUNDLE_MAX: Final = 4
"""A node offers one; the others are room for a second suite and for days that overlap."""
BUNDLES_PER_REPLY_MAX: Final = 512
"""All Parties' bundles in one call: 200 Parties and room for growth."""
CERTIFICATE_BACKDATE_S: Final = 3_600
"""Clocks in ministries are wrong: a certificate is valid from an hour before it was made."""
NODE_CERTIFICATE_LIFE_S: Final = 7 * 86_400
"""There is no revocation of certificates: whoever steals a node's TLS key has it for a week at most."""
OFFICER_CERTIFICATE_LIFE_S: Final = 90 * 86_400
"""An officer who leaves loses the right with the next quarter at the latest, and nobody renews every week."""
OFFICER_CERTIFICATE_LIFE_S_MIN: Final = 30 * 86_400
"""A shorter one has officers renew more often than they read their mail."""
JOIN_CERTIFICATE_LIFE_S: Final = 365 * 86_400
"""Join codes hold the hash of this certificate, so that each renewal spoils those on their way."""
PARTY_CA_LIFE_S: Final = 2 * 365 * 86_400
"""Long enough that a ministry renews it in a planned change, and short enough that it learns how."""
LIFE_LEFT_NOTED: Final = 0.50
"""Of a CA's life: from here on `gsp keys` and `gsp doctor` name its end, a year before it comes."""
LIFE_LEFT_WARNED: Final = 0.25
"""Of a CA's life: half a year for a planned change, and an operator who hears of it before every holiday."""
LIFE_LEFT_ALARMED: Final = 0.10
"""Of a CA's life: ten weeks. From here on it is the most urgent thing that `gsp doctor` knows."""
CLOCK_OFFSET_WARN_S: Final = 30.0
"""A clock that is this far off stops nothing yet; five minutes do."""
CA_STANDS_S: Final = 7 * 86_400
"""A new Party CA issues nothing before it stood in the log for a week: a Party whose directory is older than that is marked stale, and
until then every other one has read it. Nobody is in a hurry with a change that was planned; when no other CA is left, it issues at
once."""
DESK_CA_STANDS_S: Final = OFFICER_CERTIFICATE_LIFE_S + 86_400
"""The desk shows itself under the CA before for this long: the node tells of the new one at each officer's call, and whoever has not
called since has no certificate that is good any more. A day is for reading the entry."""
SIGNING_STANDS_S: Final = 60
"""A node signs with its new key a minute after the entry that lists it: peers read the log every few seconds."""
SIGNING_OVERLAP_S: Final = 600
"""What a node signed with the key before is taken for this long after the entry that replaced it: SIGNING_STANDS_S, and two clocks that
are CLOCK_TOLERANCE_S off, almost twice. A stolen key is revoked, and then counts no more at all."""
ROTATION_REPEATED_S: Final = 3_600
"""A change of a key that is asked for again within the hour is the same one, repeated because its answer was lost."""
ISSUING_CA_LIFE_S: Final = 3 * 365 * 86_400
"""It signs Party CAs, which end no later than it does: one Party CA's life and a year for invitations."""
ROOT_LIFE_S: Final = 15 * 365 * 86_400
"""The root lies in a safe; bringing the treaty's people together again is the expensive part."""
VERIFIED_CERTIFICATES_MAX: Final = 2_048
"""Certificates whose verification is remembered: the officers and nodes that ask within a day, at some 2 KiB each."""

# --- directory -----------------------------------------------------------------------------------------------------
PARTIES_MAX: Final = 400
"""There are some 200 States and a few regional organisations."""
ENTRY_BYTES_MAX: Final = 65_536
"""One directory entry: an update with all authorities of a large Party."""
ENTRIES_PER_REPLY_MAX: Final = 500
"""Entries in one reply, together below the message limit (the server also stops at DIRECTORY_REPLY_BYTES_MAX)."""
DIRECTORY_REPLY_BYTES_MAX: Final = 2_097_152
"""Half a message: leaves are counted before they are framed."""
DIRECTORY_BYTES_MAX: Final = 134_217_728
"""The entries that a node takes over at once, when it joins: a few thousand a year of some 500 bytes, for more than fifty years. A log
that is longer is nobody's memory but an attack on ours."""
ENTRIES_PER_PARTY_PER_DAY_MAX: Final = 100
"""Every node keeps every entry for ever, so nobody may add them without end. A Party changes its entries a few times a year."""
SERIAL_STEP_MAX: Final = 2**32
"""How far a serial may jump: over every Unix time there is today, and so little that nobody with a stolen key uses the numbers up."""
ALARMS_KEPT_MAX: Final = 256
"""Entries that broke a rule, told to the operator: the newest ones say what is going on."""
CAS_PER_PARTY_MAX: Final = 3
"""A Party's CAs that stand at a time: the old one, the new one, and one that replaces a new one that went wrong."""
ISSUERS_MAX: Final = 4
"""Issuing CAs that stand at a time: the old one and the new one, twice over."""
MANDATE_LIFE_S_MAX: Final = 3_650 * 86_400
"""Ten years: either side may end it before, and nobody reads dates in a file that is signed."""
FOUNDERS_MAX: Final = 16
"""People of the treaty body; more cannot be brought to sign anything together."""
SIGNATURES_PER_ENTRY_MAX: Final = PARTIES_MAX
"""Two thirds of all Parties set a veto aside together; everything else has k founders and a few more."""
CHECKPOINT_BYTES_MAX: Final = 131_072
"""A signed note with 400 cosignatures of some 150 bytes each, doubled."""
CHECKPOINT_SIGNATURES_MAX: Final = 512
"""The log, every possible Party as witness, and keys being rotated."""
SPLIT_VIEW_BYTES_MAX: Final = 2 * CHECKPOINT_BYTES_MAX + 4_096
"""Two checkpoints, and a consistency proof of PROOF_HASHES_MAX hashes."""
CHECKPOINTS_REMEMBERED_MAX: Final = 512
"""Verified checkpoints: every envelope carries one, and a few per peer are in use at a time."""
PROOF_HASHES_MAX: Final = 64
"""No Merkle tree is deeper than 64 levels."""
TREE_SIZE_MAX: Final = 2**63 - 1
"""Leaves in one log: what a database column and a cosigner's arithmetic hold; no log comes near."""
CONTACTS_MAX: Final = 64
"""Desks that the Secretariat writes to: a few for each competent authority."""
AUTHORITIES_MAX: Final = 200
"""A federal State names one for each of its regions."""
ADMINISTRATORS_MAX: Final = 64
"""Who issues certificates to officers: a few desks of a Party, and those of its region."""
CONFIRMATIONS_MAX: Final = 8
"""More Parties than that will not telephone each newcomer."""
REASON_CHARACTERS_MAX: Final = 500
"""Why something was revoked, suspended or recovered: a few sentences."""
PROFILE_BYTES_MAX: Final = 65_536
"""A Party's track-and-trace profile: some hundred answers that a person wrote."""
NAME_CHARACTERS_MAX: Final = 200
"""The name of a Party, an authority or a desk, in its longest official form."""
DIRECTORY_STALE_WARN_S: Final = 6 * 3_600
"""A night without the Secretariat is noticed before the office opens."""
DIRECTORY_FRESH_S: Final = 86_400
"""What witnesses saw longer ago than a day brings no new Party and no new key: whoever shows it may be holding back what came since."""
COSIGN_AGAIN_S: Final = 3_600
"""Witnesses cosign a checkpoint that stands again each hour: a few hundred bytes, so that everybody sees that nothing is held back."""
OFFER_S: Final = 60
"""A checkpoint that waits for witnesses stays the same this long while further entries gather: or it would never have all of them."""
NOTICES_PER_REPLY_MAX: Final = 64
"""Proofs and revocations in one reply: a few at a time in a bad year; with the longest proofs below a message by
NOTICES_BYTES_MAX."""
NOTICES_BYTES_MAX: Final = 2_097_152
"""Half a message, as DIRECTORY_REPLY_BYTES_MAX."""
REVOCATIONS_PER_PARTY_MAX: Final = 32
"""Revocations of one Party that the log does not hold yet: all its keys, several times over. Nobody crowds the others out."""
NOTICES_REFUSED_PER_HOUR_MAX: Final = 32
"""Of one Party, false ones: each costs a few signatures to look at, and nobody is wrong that often."""
HEARSAY_MAX: Final = PARTIES_MAX
"""Checkpoints of peers that wait to be compared with ours: the newest of each Party."""
CHECKPOINTS_AGREED_MAX: Final = 1_024
"""Checkpoints known to be of our own history: a year of entries, so that peers who are behind cost nothing."""
DIRECTORY_STALE_MARK_S: Final = 7 * 86_400
"""Traffic between known Parties goes on, marked stale."""
JOIN_TOKEN_BYTES: Final = 16
"""128 bits: nobody guesses it, and a person can still type the code that holds it."""
JOIN_TOKEN_LIFE_S: Final = 7 * 86_400
"""An invitation crosses a ministry's post room."""
JOIN_CODE_CHARACTERS_MAX: Final = 1_000
"""A join code with the longest DNS name has some 650 characters, and people add spaces and line ends."""

# --- delivery ------------------------------------------------------------------------------------------------------
RETRY_S_MIN: Final = 2.0
"""A node that restarts is back in seconds."""
RETRY_S_MAX: Final = 300.0
"""Back-off is capped at minutes, so that a peer that comes back is served soon."""
RPC_TIMEOUT_S: Final = 20.0
"""One call, the automatic answer of a large query included."""
IN_FLIGHT_PER_PARTY_MAX: Final = 64
"""Envelopes on the way to one peer at one time."""
IN_FLIGHT_PER_LANE_MIN: Final = 8
"""Of these, so many are kept for each lane: enough to go on, and few enough that one lane alone has three quarters of them."""
LINE_FAILURES_MAX: Final = 3
"""Rounds without an answer after which a peer counts as away: a network that blinks is through in two."""
LINE_PROBES_SHARE: Final = 120
"""A peer that is away is probed after a 120th of the time that it has been away: after ten minutes it is found within five seconds."""
LANE_RECENT_MAX: Final = 64
"""Numbers of a lane whose digests are remembered: all that can be under way at one time, so that what overtakes is told apart from what
comes twice."""
LANE_NOTICES_MAX: Final = 64
"""Notices kept of one lane: a year of odd numbers between nodes that work, and a bound for one that does not."""
NUMBER_MISSED_S: Final = 900
"""What was passed over for a quarter of an hour is told: three rounds of RETRY_S_MAX have gone by without it."""
NUMBERS_TOLD_MAX: Final = 5
"""In one line of the doctor; `gsp outbox list` has all of them."""
LANE_SEQUENCE_MAX: Final = 2**62
"""What a database column holds, with room; nobody counts that far."""
RECEIPTS_PER_CALL_MAX: Final = 256
"""Receipts handed over together: all that can be under way, four times over, and below half a message."""
OUTBOX_PER_PARTY_MAX: Final = 10_000
"""Waiting envelopes for one peer: a month of heavy use by one Party."""
OUTBOX_COUNTED_EVERY: Final = 64
"""New messages to one peer between two looks at how many wait for it: OUTBOX_PER_PARTY_MAX is kept to within so many."""
HEADERS_AT_HAND_MAX: Final = 256
"""Headers remembered as they were read: of what is under way at one time."""
GROUP_COMMIT_MAX: Final = 256
"""Changes in one transaction of the writer task."""
RECEIPT_BYTES_MAX: Final = 8_192
"""A journal leaf, a path of 64 hashes and a checkpoint take up some 3 KiB."""
RETENTION_S: Final = 5 * 365 * 86_400
"""Message ids are remembered, and evidence is kept, as long as Regulation (EU) 2018/574 Art. 25 asks for records."""

BULK_CODES_MIN: Final = 50
"""Queries with so many codes go into the bulk lane, so that a container does not delay a pack."""
RECENT_ROWS_MAX: Final = 768
"""Queries and messages kept at hand after they were written: three for each query, so a second of a busy node."""
RECENT_CONTENTS_MAX: Final = 256
"""Messages whose content is kept at hand as it was understood."""
RECENT_BODY_BYTES_MAX: Final = 16_384
"""Larger bodies are read back instead, so that what is at hand stays below 20 MiB."""
DRAFT_LIFE_S: Final = 600
"""A prepared query waits this long for the officer's signature."""
DRAFTS_PER_OFFICER_MAX: Final = 100
"""Of one officer: as many as calls on one connection (GRPC_STREAMS_MAX). A national system that asks for one officer has that many
under way, and signs each within seconds."""
DRAFT_BYTES_PER_OFFICER_MAX: Final = 16_777_216
"""Bodies of one officer's drafts: the five largest that there can be, or a hundred that are not."""
DRAFTS_MAX: Final = 1_000
"""Prepared queries and answers that wait for signatures, all officers together."""
WAITING_RECOLLECTED_MAX: Final = 10_000
"""Received queries that a starting node looks through for such as its policy answers: a month of heavy use, and read once."""
CAUGHT_UP_MAX: Final = 500
"""Received queries that are tried again in one round of housekeeping: a few seconds. Whoever asks much that cannot be answered now
must not keep this node from renewing its keys and ending what is overdue."""
ACKNOWLEDGE_DELAY_S: Final = 0.05
"""Receipts for answers are gathered this long: nobody waits for them, and one call carries many."""
ACKNOWLEDGE_GRACE_S: Final = 15
"""An answer that went out with a receipt is delivered once more when its own receipt has not come by then."""

# --- files that are carried -----------------------------------------------------------------------------------------
PARCEL_BYTES_MAX: Final = 16_777_216
"""One file on a stick, and one reply of the desk: the three largest envelopes, or some thousands of ordinary ones."""
PARCEL_MESSAGES_MAX: Final = 1_000
"""Messages in one file: what an import takes in a minute. What does not fit waits for the next file."""
PARCEL_RECEIPTS_MAX: Final = PARCEL_MESSAGES_MAX
"""Receipts in one file: for every message of the file that it answers."""
PARCEL_OWED_MAX: Final = 256
"""Receipts that go along although nobody knows whether they are missing: for the newest messages of that Party, at some 2 KiB each."""
PARCEL_OWED_ROWS_MAX: Final = 2_000
"""Queries of all Parties that are looked through for them, the newest first."""
PARCEL_BUNDLES_MAX: Final = 8
"""A node has one bundle; the others are room for a second node and suite."""
PARCEL_LOG_BYTES_MAX: Final = 1_048_576
"""Directory entries that go along: some years of them. It leaves room for the largest envelope beside PARCEL_RECEIPTS_MAX receipts."""
PARCEL_LIFE_S: Final = ENVELOPE_LIFE_S_MAX
"""No envelope in an older file could be opened; receipts come again with the next one."""

# --- evidence, pages -----------------------------------------------------------------------------------------------
JOURNAL_CONTENT_BYTES_MAX: Final = 65_536
"""A record has a few fields and digests, below 300 bytes; later kinds have room."""
PROOF_FILE_BYTES_MAX: Final = 16_777_216
"""Two envelopes, their receipts, and the directory entries of two Parties, or all of them."""
PROOF_ENTRIES_MAX: Final = 65_536
"""Directory entries in a proof file: all that PROOF_DIRECTORY_BYTES_MAX has room for."""
PROOF_DIRECTORY_BYTES_MAX: Final = 12_582_912
"""A whole directory in a proof file leaves room for the messages. It is some decades of the entries that Parties write."""
PROOF_WHOLE_BYTES: Final = 262_144
"""A directory up to this size travels whole, so that nothing can have been left out of it: some hundred entries."""
PROOF_PATHS_MAX: Final = 64
"""Entries of a whole directory in a proof that carry their paths: programs of version 0.1.0 ask for them, and take no more entries."""
SILENCE_BYTES_MAX: Final = 4_096
"""What an asking node says of what did not come: some 200 bytes, and 18 for each of the 63 answers that a proof has room for."""
PAGE_ROWS_MAX: Final = 200
"""Rows that the desk gives in one call: a screen and some."""
DESK_REPLY_BYTES_MAX: Final = PROOF_FILE_BYTES_MAX + 65_536
"""The largest reply of the desk is a proof file."""
LIBRARY_FILE_BYTES_MAX: Final = 268_435_456
"""A whole directory log and every Party's set, each at a good part of its bound."""

# --- reconciling ---------------------------------------------------------------------------------------------------
ACCOUNT_DAYS_MAX: Final = 64
"""Days in one account: a pair that was parted for a month catches up in one, and the digests of two months are made in a second."""
ACCOUNT_HEADS_MAX: Final = 128
"""Checkpoints that one account is held against: with their consistency proofs of some 40 hashes the reply stays below half a
message."""
ACCOUNT_BYTES_MAX: Final = 65_536
"""A day takes up some 80 bytes, a head 45, an epoch 12."""
LISTING_ROWS_MAX: Final = 1_000
"""Messages in one listing, some 60 bytes each."""
JOURNAL_EPOCHS_MAX: Final = 256
"""Epochs of one journal: nobody puts a node back every day."""
FINDINGS_ROWS_MAX: Final = 256
"""Compared days, differences and alarms of one peer that are shown: the newest say what is going on."""
