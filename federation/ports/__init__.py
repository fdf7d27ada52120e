"""What the rules need of the world. Each port has at most seven methods, and its docstring is its contract.

SQLite and memory implement the stores, gRPC and the simulated network the transports; one contract suite runs on all of them.
Every method may raise StoreUnavailable (stores) or Unreachable (transports) and then has either happened or not: callers repeat.
"""

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
    Direction,
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
    "AskedQuery",
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
    "PublicationStore",
    "ReceivedQuery",
    "ReconcileService",
    "ReconcileStore",
    "Reconciled",
    "RetentionStore",
    "Standing",
    "Transport",
    "WitnessStore",
]
