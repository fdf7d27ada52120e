"""The keys that open envelopes, ours, and the keys to seal to, everybody's.

Private halves live in the store until they are destroyed and in memory as long as that. Public bundles of all Parties are refreshed
from any peer, so fetching one announces nothing; they are kept for a node that starts where no peer can be reached.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from federation import limits
from federation.boundary.messages import key_id
from federation.boundary.receipts import read_bundle, sign_bundle
from federation.envelope.header import Prekey, PrekeyBundle
from federation.envelope.suite import SEED_BYTES, PrivateKey
from federation.errors import FederationError
from federation.identity import PartyId
from federation.ports import Change, DecryptionKey, ExchangeStore, KeyUse, PeerStore
from federation.trust.roster import Roster
from node.use_cases.world import Own, World


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key pair that is not in any store yet."""

    secret: DecryptionKey
    public: Prekey
    private: PrivateKey


class Keyring:
    """Own private keys by id, own current bundle, and the newest bundle of each peer."""

    def __init__(self, own: Own, world: World, store: ExchangeStore) -> None:
        self._own = own
        self._world = world
        self._store = store
        self._private: dict[bytes, PrivateKey] = {}
        self._expiry: dict[bytes, int] = {}
        self._prekeys: list[DecryptionKey] = []
        self._bundle = b""
        self._peers: dict[PartyId, tuple[PrekeyBundle, bytes]] = {}
        self._replaced: dict[PartyId, bytes] = {}
        self._unwritten: dict[PartyId, None] = {}

    async def load(self) -> None:
        """Take up the keys that the store has, and make today's prekey if there is none."""
        for secret in await self._store.keys():
            self.hold(secret, PrivateKey(secret.seed))
        await self.rotate()

    async def rotate(self) -> None:
        """A new prekey each day; the ones past their end are destroyed."""
        now = self._world.now()
        ended = [identifier for identifier, end in self._expiry.items() if end <= int(self._world.lapsed())]
        newest = max((key.created for key in self._offered(now)), default=0)
        fresh: tuple[DecryptionKey, ...] = ()
        if newest + limits.PREKEY_ROTATE_S <= now:
            made = self.make(KeyUse.PREKEY, destroy_at=now + limits.PREKEY_DESTROY_S)
            fresh = (made.secret,)
        if ended:
            # A key whose query was never written down is at hand and not in the store.
            stored = {key.key_id for key in await self._store.keys()}
            ended_stored = tuple(identifier for identifier in ended if identifier in stored)
        else:
            ended_stored = ()
        if fresh or ended_stored:
            await self._store.commit(Change(keys=fresh, keys_destroyed=ended_stored))
        for identifier in ended:
            self.drop(identifier)
        for secret in fresh:
            self.hold(secret, PrivateKey(secret.seed))
        self._sign_bundle()

    def _offered(self, now: int) -> list[DecryptionKey]:
        """Prekeys that may be offered. One from the future was made while this machine's clock was wrong; nobody would take it, and
        it must not keep the node from making others. It opens what was sealed to it all the same.
        """
        return [key for key in self._prekeys if key.created <= now + limits.CLOCK_TOLERANCE_S]

    def _sign_bundle(self) -> None:
        newest = max(self._offered(self._world.now()), key=lambda key: key.created)
        self._bundle = sign_bundle(
            PrekeyBundle(
                node=self._own.name,
                created=newest.created,
                expires=newest.created + limits.PREKEY_OFFER_S,
                prekeys=(Prekey(key_id=newest.key_id, public_key=self._private[newest.key_id].public_key),),
            ),
            self._own.signer,
        )

    def make(self, use: KeyUse, *, destroy_at: int) -> NewKey:
        """A fresh key pair; hold it once its secret half is committed."""
        seed = self._world.entropy(SEED_BYTES)
        private = PrivateKey(seed)
        public = Prekey(key_id=key_id(private.public_key), public_key=private.public_key)
        secret = DecryptionKey(key_id=public.key_id, use=use, seed=seed, created=self._world.now(), destroy_at=destroy_at)
        return NewKey(secret=secret, public=public, private=private)

    def hold(self, secret: DecryptionKey, private: PrivateKey) -> None:
        """Keep a committed key at hand."""
        self._private[secret.key_id] = private
        self._expiry[secret.key_id] = secret.destroy_at
        if secret.use is KeyUse.PREKEY:
            self._prekeys.append(secret)

    def drop(self, identifier: bytes) -> None:
        """Forget a key whose destruction is committed."""
        self._private.pop(identifier, None)
        self._expiry.pop(identifier, None)
        self._prekeys = [key for key in self._prekeys if key.key_id != identifier]

    def overdue(self) -> int:
        """Keys whose end has passed by more than a round of housekeeping, and which are here all the same."""
        limit = self._world.lapsed() - limits.CLOCK_TOLERANCE_S
        return sum(end <= limit for end in self._expiry.values())

    def private(self, identifier: bytes) -> PrivateKey | None:
        """The key that a header names, or None when it never was ours or is destroyed."""
        return self._private.get(identifier)

    def learn(self, bundles: Iterable[bytes], roster: Roster) -> int:
        """Take over bundles that verify and are newer than what is here; gives how many. One bad bundle hides no other."""
        learned = 0
        held = {raw for _, raw in self._peers.values()}.union(self._replaced.values())
        for raw in bundles:
            if raw in held:
                continue  # everybody passes on everybody's, so nearly all of them are here already, or were until a newer one came
            try:
                bundle = read_bundle(raw, roster=roster, now=self._world.now())
            except FederationError:
                continue  # it is the peer's matter; its own node will serve a better one
            party = bundle.node.party
            known = self._peers.get(party) if party is not None else None
            if party is None or party == self._own.party or (known is not None and known[0].created >= bundle.created):
                continue
            if known is not None:
                self._replaced[party] = known[1]
            self._peers[party] = (bundle, raw)
            self._unwritten[party] = None
            learned += 1
        return learned

    def recall(self, kept: Iterable[bytes], roster: Roster) -> None:
        """What an earlier run of this node wrote down: a node without a network can seal to its peers all the same."""
        self.learn(kept, roster)
        self._unwritten.clear()

    async def write(self, store: PeerStore) -> None:
        """Write down what was learnt.

        Raises:
            StoreUnavailable: the next call tries again.
        """
        if not self._unwritten:
            return
        due, self._unwritten = self._unwritten, {}
        known = {party: self._peers[party][1] if party in self._peers else b"" for party in due}
        try:
            await store.put_bundles(known)
        except BaseException:
            self._unwritten = due | self._unwritten
            raise

    def prekey_of(self, party: PartyId, roster: Roster) -> tuple[Prekey, int] | None:
        """A key to seal to and the time up to which it may be used; None when no bundle is at hand that may be used now."""
        known = self._peers.get(party)
        if known is None:
            return None
        bundle = known[0]
        node = roster.node(party)
        if bundle.expires <= self._world.now() or bundle.node != node.node:
            return None
        return bundle.prekeys[-1], bundle.expires

    def forget(self, party: PartyId) -> None:
        """Do without the Party's bundle until there is another one."""
        if self._peers.pop(party, None) is not None:
            self._unwritten[party] = None
        self._replaced.pop(party, None)

    def is_fresh(self, party: PartyId) -> bool:
        """Whether the Party's bundle here is of the last day: a fresher key keeps less readable if one is ever lost."""
        known = self._peers.get(party)
        return known is not None and known[0].created + limits.PREKEY_ROTATE_S > self._world.now()

    def bundles(self) -> tuple[bytes, ...]:
        """Our bundle and all that we know: what others may fetch from us."""
        return (self._bundle, *(raw for _, raw in self._peers.values()))[: limits.BUNDLES_PER_REPLY_MAX]
