"""Households of a simulated market when a period ends (`cycle.ports.Households`).

Keys of all periods follow from the scenario's seed, so that a run which was cut off goes on as the
same people. What each does is asked of the chain, not remembered: it is done once.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache

from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import Key
from gridpact.cycle.ports import Successors
from gridpact.errors import LedgerError, Reverted
from gridpact.identity.hiding import groups
from gridpact.identity.pseudonym import in_turn, pseudonymous
from gridpact.ledger.chain import OpenChain
from gridpact.ledger.evm.engine import revert_reason
from gridpact.ledger.evm.transactions import sign
from gridpact.ledger.onchain import packing
from gridpact.ledger.onchain.abi import numbers, pack
from gridpact.ledger.onchain.suite import Suite
from gridpact.model.participant import Participant
from gridpact.simulation.field import SimulatedField
from gridpact.simulation.people import Party, People

UNKNOWN, ACTIVE = 0, 1
"""What the registry says of an address: never heard of; takes part."""


class SimulatedHouseholds:
    """Everybody's devices, and the operator's register.

    Parameters
    ----------
    people
        Everybody in a period, as enrolled with the operator.
    field
        Whose devices change their keys.
    region
        Identifier of the region that they take part in.
    doorstep
        Takes their transactions; without one the ledger is in memory and needs none.
    """

    def __init__(
        self,
        people: Callable[[int], People],
        field: SimulatedField,
        region: bytes,
        doorstep: OpenChain | None,
    ) -> None:
        self._people, self._field, self._region = cache(people), field, region
        self._chain = doorstep
        self._keys: dict[bytes, Key] = {}

    def newcomers(self, period: int) -> Sequence[Participant]:
        return in_turn(pseudonymous(one.participant) for one in self._sites(period))

    def successors(self, period: int) -> Successors:
        """Return who follows whom, in groups at one place with the same roles."""
        old, new = self._sites(period - 1), self._sites(period)
        heirs = {was.address: now.address for was, now in zip(old, new, strict=True)}
        known = {one.address: (one.participant.bus, one.participant.roles) for one in old}
        return [[(who, heirs[who]) for who in group] for group in groups(known)]

    def announce(self, period: int) -> None:
        if self._chain is None:
            return
        coming = self._by_address(self._sites(period))
        leaving = self._by_address(self._sites(period - 1))
        self._send([*self._applications(coming), *self._farewells(leaving)])

    def turn(self, period: int) -> None:
        self._field.turn(self._people(period))

    def pay_out(self, accounts: Sequence[bytes]) -> None:
        if self._chain is not None:
            raws = [raw for who in accounts for raw in self._payments(self._keys[who])]
            self._send(raws)

    def _sites(self, period: int) -> Sequence[Party]:
        sites = self._people(period).sites
        self._keys |= {one.address: one.key for one in sites}
        return sites

    def _by_address(self, parties: Sequence[Party]) -> Sequence[Party]:
        return sorted(parties, key=lambda one: one.address)

    def _applications(self, coming: Sequence[Party]) -> Iterator[bytes]:
        for one in coming:
            waits = self._view("registry", "applications", one.address)
            if self._state(one.address) == UNKNOWN and not waits:
                asked = packing.application(one.participant, self._region)
                yield self._signed(one.key, 0, "registry", "apply", asked)

    def _farewells(self, leaving: Sequence[Party]) -> Iterator[bytes]:
        for one in leaving:
            if self._state(one.address) == ACTIVE:
                yield self._signed(one.key, 0, "registry", "leave", b"")

    def _payments(self, key: Key) -> Iterator[bytes]:
        """Yield what brings free money to the bank: out of the vault, then out of the chain."""
        free = self._view("vault", "account", key.address)
        held = self._view("currency", "balanceOf", key.address)
        if free:
            yield self._signed(key, 0, "vault", "withdraw", pack(free))
        if free or held:
            given = pack(free + held, keccak(b"to the bank" + key.address))
            yield self._signed(key, 1 if free else 0, "currency", "burn", given)

    def _state(self, address: bytes) -> int:
        return self._view("registry", "status", address) & 255

    def _view(self, contract: str, function: str, address: bytes) -> int:
        chain = self._open
        call = Suite(chain.operator).call(contract, function, pack(address))
        return numbers(chain.view(call))[0]

    def _signed(self, key: Key, ahead: int, contract: str, function: str, given: bytes) -> bytes:
        """Return a transaction: the next of its sender, or so many after it."""
        chain = self._open
        call = Suite(chain.operator).call(contract, function, given)
        nonce = chain.nonce(key.address) + ahead
        return sign(key, chain.chain_id, nonce, call.to, call.data).raw

    @property
    def _open(self) -> OpenChain:
        if self._chain is None:
            raise LedgerError("a ledger in memory takes no transactions")
        return self._chain

    def _send(self, raws: Sequence[bytes]) -> None:
        for answer in self._open.submit_many(raws):
            if isinstance(answer, LedgerError):
                raise answer
            if answer.outcome.status == 0:
                raise Reverted(revert_reason(answer.outcome.output), "a household's transaction")
