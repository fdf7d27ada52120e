"""What the rules need of the world. Each port has at most seven methods, and its docstring is its contract.

SQLite and memory implement the stores, gRPC and the simulated network the transports; one contract suite runs on all of them.
Every method may raise StoreUnavailable (stores) or Unreachable (transports) and then has either happened or not: callers repeat.
"""

from federation.delivery.direction import Direction
from federation.delivery.timeline import TimelineEvent
from federation.ports.arrivals import ArrivalStore, Poison
from federation.ports.directory import (
    Cosigned,
    DirectoryService,
    DirectoryStore,
    Enrolment,
    EnrolmentStore,
    Notice,
    NoticeKind,
    NoticeService,
    NoticeStore,
    PublicationStore,
    WitnessStore,
)
from federation.ports.exchange import (
    AlreadySeen,
    AskedQuery,
    Change,
    Crossing,
    DecryptionKey,
    ExchangeStore,
    JournalStore,
    KeyUse,
    OutboxStore,
    ReceivedQuery,
)
from federation.ports.reconcile import (
    Accounted,
    Alarm,
    ComparedDay,
    Difference,
    Reconciled,
    ReconcileService,
    ReconcileStore,
    Standing,
)
from federation.ports.retention import (
    Expired,
    RetentionStore,
)
from federation.ports.spool import (
    AttachmentStore,
    AttachmentTransport,
    Spool,
    SpoolFile,
    Usage,
)
from federation.ports.timeline import (
    PeerSeen,
    PeerStore,
    TimelineStore,
)
from federation.ports.transport import (
    Delivery,
    PatternStore,
    Peer,
    Transport,
)
from federation.ports.world import (
    Clock,
    Entropy,
)

__all__ = [
    "Accounted",
    "Alarm",
    "AlreadySeen",
    "ArrivalStore",
    "AskedQuery",
    "AttachmentStore",
    "AttachmentTransport",
    "Change",
    "Clock",
    "ComparedDay",
    "Cosigned",
    "Crossing",
    "DecryptionKey",
    "Delivery",
    "Difference",
    "Direction",
    "DirectoryService",
    "DirectoryStore",
    "Enrolment",
    "EnrolmentStore",
    "Entropy",
    "ExchangeStore",
    "Expired",
    "JournalStore",
    "KeyUse",
    "Notice",
    "NoticeKind",
    "NoticeService",
    "NoticeStore",
    "OutboxStore",
    "PatternStore",
    "Peer",
    "PeerSeen",
    "PeerStore",
    "Poison",
    "PublicationStore",
    "ReceivedQuery",
    "ReconcileService",
    "ReconcileStore",
    "Reconciled",
    "RetentionStore",
    "Spool",
    "SpoolFile",
    "Standing",
    "TimelineEvent",
    "TimelineStore",
    "Transport",
    "Usage",
    "WitnessStore",
]
