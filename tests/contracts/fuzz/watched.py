"""A market on titanoboa that watches every call: what it may do, what it did, and why it failed.

A refusal must be one that the sources state. What is refused without a word must be a call whose
arguments are not what the ABI wants; who says so is `eth_abi`, strictly, not the contract's own
decoder. Anything else (an overflow, a place beyond a list, an empty stack) fails the test.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.contracts.fuzz import surface
from tests.contracts.fuzz.boachain import BoaChain, Frame
from tests.contracts.fuzz.books import Books, filled, made, ordered
from tests.contracts.fuzz.calling import plant, told
from tests.contracts.harness import DEVICES, OPERATOR, World
from tests.contracts.reading import Contract, Event

from gridpact.errors import Reverted
from gridpact.ledger.evm.engine import EngineFactory
from gridpact.ledger.onchain.roots import Posting
from gridpact.ledger.proving.part import HELD
from gridpact.model.order import Order
from gridpact.model.participant import Named
from gridpact.model.trade import Fill

PREFIX = "reverted: "
SILENT = "no reason given"
PRECOMPILES = 9
_FILL = frozenset({"bid", "offer", "buyer", "seller", "terms"})
_SINGLE = frozenset({"region", "interval", "fill"})
_SHOWN = frozenset({"leaf", "place"})
_POSTED = ("content", "order_root", "fill_root", "seed", "count", "volume")
_ORDER = frozenset({"participant", "side", "tier", "salt", "energy"})


class Sent(NamedTuple):
    """A call as it was sent."""

    contract: Contract
    data: bytes
    sender: bytes


class Unexplained(AssertionError):
    """A call failed, and nothing that our sources state says why."""


class Tally:
    """How often each function was accepted and each reason given."""

    def __init__(self) -> None:
        self.accepted: Counter[str] = Counter()
        self.within: Counter[str] = Counter()  # by another contract, in an accepted call
        self.refused: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.steps = 0
        self.checks: Counter[str] = Counter()

    def add(self, other: "Tally") -> None:
        """Count what another process counted, too."""
        for name, counter in vars(other).items():
            if name == "steps":
                self.steps += counter
            else:
                getattr(self, name).update(counter)

    def never_called(self) -> list[str]:
        every = {surface.name(contract, data) for contract, data in surface.everything()}
        return sorted(every - self.accepted.keys() - self.within.keys())

    def never_given(self) -> list[str]:
        return sorted(surface.reasons() - self.reasons.keys())


TALLY = Tally()
"""Of this process: campaigns print it, tests look at what it holds."""


class Watched(World):
    """`World`, every call of which is checked and counted; people have a thief's code."""

    def __init__(self, engine: EngineFactory = BoaChain, **terms: Any) -> None:
        self.books = Books(terms["settlement"], terms["net"], terms["review"].fine)
        self.history: list[Sent] = []
        self.watching = self.moved = False
        self.spoil: Callable[[bytes], bytes] | None = None
        """What is done to a call before it is sent."""
        super().__init__(engine=engine, **terms)
        self.books.vault = self.at[Contract.VAULT]
        self.tells = isinstance(self.engine, BoaChain)
        """Whether the engine tells the calls within a call; a fast one does not."""
        self.money = {self.at[Contract.VAULT], self.at[Contract.CURRENCY]}
        self.suites = {address: contract.value for contract, address in self.at.items()}
        if self.tells:
            for device in DEVICES.values():
                plant(self.engine, device.address)
        self.books.open |= {device.address for device in DEVICES.values()}
        self.watching = True

    def keep(self) -> None:
        """Let every `begin` find the market as it is now."""
        self.engine.keep()
        self._kept = (
            self.books.copy(),
            list(self.history),
            self.time,
            dict(self.book),
            self._batches,
        )

    def begin(self) -> None:
        self.engine.undo()
        books, history, self.time, book, self._batches = self._kept
        self.books, self.history, self.book = books.copy(), list(history), dict(book)

    def raw(self, contract: Contract, data: bytes, sender: bytes = OPERATOR) -> list[Event]:
        if not self.watching:
            return super().raw(contract, data, sender)
        if self.spoil:
            data = self.spoil(data)
        sent = Sent(contract, data, sender)
        name = surface.name(contract, data)
        self.history.append(sent)
        TALLY.steps += 1
        try:
            logs = super().raw(contract, data, sender)
        except Reverted as refusal:
            self._require_reason(sent, str(refusal))
            TALLY.refused[name] += 1
            raise
        finally:
            self._require_peers()
        TALLY.accepted[name] += 1
        self._count_within()
        self._book(sent, logs)
        return logs

    # what is checked of every call

    def _require_reason(self, sent: Sent, said: str) -> None:
        reason = said.removeprefix(PREFIX)
        if reason in surface.reasons():
            TALLY.reasons[reason] += 1
            return
        if reason == SILENT and not surface.decodes(sent.contract, sent.data):
            TALLY.reasons["(arguments that do not decode)"] += 1
            return
        raise Unexplained(f"{surface.name(sent.contract, sent.data)}: {said}\n{sent}")

    def _require_peers(self) -> None:
        """No call leaves the suite, and none enters a contract that waits for it to return."""
        if not self.tells:
            return
        path: list[bytes] = []
        for frame in self.engine.calls:
            self._require_known(frame)
            del path[frame.depth :]
            assert frame.static or frame.to not in path, "a call came back"
            path.append(frame.to)
        TALLY.checks["calls stay within the suite and never come back"] += 1

    def _touched(self) -> bool:
        return any(frame.to in self.money and not frame.static for frame in self.engine.calls)

    def _count_within(self) -> None:
        for frame in self.engine.calls[1:] if self.tells else ():
            if frame.to in self.suites and not frame.static:
                TALLY.within[surface.name(Contract(self.suites[frame.to]), frame.data)] += 1

    def _require_known(self, frame: Frame) -> None:
        known = frame.to in self.suites or int.from_bytes(frame.to, "big") <= PRECOMPILES
        assert known, f"a call to {frame.to.hex()}"

    def _book(self, sent: Sent, logs: list[Event]) -> None:
        arguments = surface.arguments(sent.contract, sent.data)
        if logs:  # a write that stood before changes nothing: nothing of it was looked at
            self.books.learn(*self._named(arguments))
        if sent.contract is Contract.CHALLENGE_BOOK and "of_orders" in arguments:
            self._count_demand(sent, arguments)
        deliveries = {fill.hash: row["delivery"] for row, fill in self._settled(arguments)}
        if self.tells and not self._touched():
            self.books.take(logs, deliveries, {})
            return  # nobody asked the vault to move anything
        found = self.worths()
        self.moved = True
        self.books.take(logs, deliveries, found)
        told_ = {account: self.books.worth[account] for account in found}
        assert told_ == found, {k: (told_[k], found[k]) for k in found if told_[k] != found[k]}
        TALLY.checks["every account is worth what events explain"] += 1

    def _count_demand(self, sent: Sent, arguments: Any) -> None:
        """Know whose stake stands for which leaf; what expires has no event of its own."""
        posted = Posting(*(arguments["posted"][name] for name in _POSTED))
        clearing = posted.name(arguments["region"], arguments["interval"])
        key = (clearing, bool(arguments["of_orders"]), arguments["index"])
        if surface.name(sent.contract, sent.data).endswith(".demand"):
            self.books.asked[key] = sent.sender
        else:
            del self.books.asked[key]

    # what a call names

    def _named(self, arguments: Any) -> tuple[list[Fill], dict[bytes, Order]]:
        orders = {}
        for one in surface.structs(arguments, _ORDER):
            order = ordered(one)
            orders[order.digest(self.domain)] = order
        fills = [
            filled(one["region"], one["interval"], one["fill"])
            for one in surface.structs(arguments, _SINGLE)
            if one["fill"].keys() >= _FILL
        ]
        fills += [
            filled(one["leaf"]["region"], arguments["place"]["interval"], one["leaf"]["fill"])
            for one in surface.structs(arguments, _SHOWN)
            if "place" in arguments
        ]
        if "place" in arguments and isinstance(arguments.get("fill"), dict):
            place = arguments["place"]
            fills.append(filled(place["region"], place["interval"], arguments["fill"]))
        fills += [fill for _, fill in self._settled(arguments)]
        fills += self._matched(arguments)
        return fills, orders

    def _settled(self, arguments: Any) -> list[tuple[Any, Fill]]:
        write = arguments.get("write")
        return [
            (row, filled(write["region"], write["interval"], row["fill"]))
            for row in surface.structs(arguments, frozenset({"fill", "delivery"}))
            if write and isinstance(row["fill"], dict)
        ]

    def _matched(self, arguments: Any) -> list[Fill]:
        names = {}
        pairs: list[tuple[Any, Any, int]] = []
        if {"bid", "offer", "terms"} <= arguments.keys() and isinstance(arguments["bid"], dict):
            pairs = [(arguments["bid"], arguments["offer"], arguments["terms"])]
        elif "orders_" in arguments:
            orders = arguments["orders_"]
            for row in arguments.get("rows", arguments.get("fills", [])):
                if isinstance(row, dict):  # a fill whose offer stands on the other chain
                    bid = orders[row["terms"] >> 176 & 0xFFFF]
                    name = ordered(bid).digest(self.domain)
                    parties = {"bid": name, "buyer": bid["participant"], **row}
                    terms = row["terms"] & 2**160 - 1
                    names[name] = made(bid["region"], bid["interval"], parties, terms)
                else:
                    bid, offer = orders[row >> 176 & 0xFFFF], orders[row >> 160 & 0xFFFF]
                    pairs.append((bid, offer, row & 2**160 - 1))
        return [*names.values()] + [
            made(
                bid["region"],
                bid["interval"],
                {
                    "bid": ordered(bid).digest(self.domain),
                    "offer": ordered(offer).digest(self.domain),
                    "buyer": bid["participant"],
                    "seller": offer["participant"],
                },
                terms,
            )
            for bid, offer, terms in pairs
        ]

    # what anybody sees

    def accounts(self) -> list[bytes]:
        return sorted(self.books.open)

    def worths(self) -> dict[bytes, int]:
        """Return what every account is worth, by the vault."""
        return {account: sum(pots) for account, pots in self.pots().items()}

    def pots(self) -> dict[bytes, tuple[int, int, int]]:
        """Return free, reserved and locked of every account."""
        accounts = self.accounts()
        words = self.view(Contract.VAULT, "read", ["0x" + one.hex() for one in accounts])
        return {
            account: (word >> 161, word >> 81 & 2**80 - 1, word >> 1 & 2**80 - 1)
            for account, word in zip(accounts, words, strict=True)
        }

    def require_money(self) -> None:
        """The money invariant: accounts = totals = minted - burned = the vault's currency, but for
        what was slashed and not retired."""
        if not self.moved:
            return
        self.moved = False
        minted, burned, free, reserved, locked, transit = self.view(Contract.VAULT, "totals")
        sums = tuple(map(sum, zip(*self.pots().values(), strict=True)))
        assert sums == (free, reserved, locked), "accounts are not the totals"
        held = self.view(Contract.CURRENCY, "balanceOf", self.at[Contract.VAULT])
        assert free + reserved + locked + transit == minted - burned, "money is not conserved"
        assert held == minted - burned + self.books.slashed, "not the vault's currency"
        away = self.books.crossings[b"away"] - self.books.crossings[b"home"]
        assert transit == away, "transit is not what left and did not come home"
        wallets = self.books.wallets
        assert wallets[self.at[Contract.VAULT]] == held
        assert self.view(Contract.CURRENCY, "totalSupply") == -wallets[bytes(20)]
        for person in DEVICES.values():
            found = self.view(Contract.CURRENCY, "balanceOf", person.address)
            assert found == wallets[person.address]
        TALLY.checks["money is conserved; deposits - withdrawals = the vault's currency"] += 1

    def require_causes(self) -> None:
        """Reserved and locked money is what orders, live fills, parts, bonds and stakes hold."""
        reserved, locked = self._held_by_orders()
        for account, (_, kept, shut) in self.pots().items():
            assert kept == reserved[account], ("reserved", account.hex(), kept, reserved[account])
            assert shut == locked[account], ("locked", account.hex(), shut, locked[account])
        TALLY.checks["reserved and locked money has its causes"] += 1

    def require_scores(self) -> None:
        """Reputation is what settled volumes made of it."""
        for seller, score in self.books.scores.items():
            assert self.view(Contract.REPUTATION, "score", "0x" + seller.hex()) == score
        for one in DEVICES.values():
            if one.address not in self.books.scores:
                found = self.view(Contract.REPUTATION, "score", "0x" + one.address.hex())
                assert found == self.rating.prior
        TALLY.checks["reputation moves by settled volume only"] += 1

    def require_uncalled(self) -> None:
        """Nobody's code was ever run."""
        if not self.tells:
            return
        for one in DEVICES.values():
            assert told(self.engine, one.address)[0] == 0, "a participant was called"
        TALLY.checks["no participant's code is run"] += 1

    def _held_by_orders(self) -> tuple[Counter[bytes], Counter[bytes]]:
        reserved: Counter[bytes] = Counter()
        locked: Counter[bytes] = Counter()
        for name, order in self.books.orders.items():
            _, held, _, _ = self.view(Contract.ORDERS, "state", name)
            reserved[order.participant] += held
        for name, fill in self.books.fills.items():
            state = self.view(Contract.SETTLEMENT, "fill_state", name)
            if state == 5:
                reserved[fill.buyer] += fill.lock
            elif state in (1, 4) or (name in self.books.bound and name not in self.books.ended):
                locked[fill.buyer] += fill.lock
        for wallet in self.books.buyers:  # a purchase wallet's money is locked, all of it
            locked[wallet] += self.books.worth[wallet]
        self._held_by_parts(reserved)
        self._held_by_council(locked)
        return reserved, locked

    def _held_by_parts(self, reserved: Counter[bytes]) -> None:
        for key, part in self.books.parts.items():
            if part.place.part >= HELD:
                continue  # counted with the part that held it
            state = self.view(Contract.NET, "part", key)[0]
            after = self.view(Contract.NET, "part", part.place.held.key)[0]
            for row, change in zip(part.rows, part.changes, strict=True):
                if state in (1, 2, 3, 5):
                    account = "0x" + row.account.hex()
                    spent = self.view(Contract.FALLBACK, "row", key, account)[1]
                    reserved[row.account] += row.reserved - spent
                elif state == 4 and after not in (4, 6):  # nor settled, nor given back
                    reserved[row.account] += change.held

    def _held_by_council(self, locked: Counter[bytes]) -> None:
        for account in self.accounts():
            if account == OPERATOR:
                continue  # may have become a participant; its bond is its named account's
            key = OPERATOR if account == Named.OPERATOR.address else account
            locked[account] += self.view(Contract.COUNCIL, "pledged", "0x" + key.hex())[0]
        for account in self.books.deposited:
            locked[account] += self.view(Contract.REGISTRY, "deposit", "0x" + account.hex())[1]
        for challenger in self.books.asked.values():
            locked[challenger] += self.books.net.stake
        for key, index in self.books.demanded:
            word = self.view(Contract.EVIDENCE, "demands", key, index)
            if word not in (0, 2**256 - 1):
                locked[(word >> 64).to_bytes(20, "big")] += self.books.net.stake
