"""What every account may have received at most: a model in Python, moved by events alone.

Each event that moves money names its cause: a fill, a crossing, a reference, a part, a bill. The
model takes every cause once and every fill within its lock; what it then says that an account is
worth (free + reserved + locked) is what the vault must say, to the last unit.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tests.contracts.harness import OPERATOR
from tests.contracts.reading import Event

from gridpact.ledger.onchain.packing import MASK_80
from gridpact.ledger.proving.part import Part
from gridpact.model.net import NetTerms
from gridpact.model.order import Order
from gridpact.model.participant import Named
from gridpact.model.statement import SettlementTerms
from gridpact.model.trade import Fill
from gridpact.quantities import Price, amount, part

PURSE, REWARD, FINES = Named.OPERATOR.address, Named.REWARD.address, Named.FINES.address
NETWORK, LOSS = Named.NETWORK_OPERATOR.address, Named.NETWORK_LOSS.address
GRID, INCENTIVE = Named.GRID_SUPPLY.address, Named.INCENTIVE.address
NOBODY = bytes(20)
DISPUTE = 1
MASK_40 = 2**40 - 1


def purse(account: bytes) -> bytes:
    """Return whose money answers for an account: the operator's key has none of its own."""
    return PURSE if account == OPERATOR else account


class Books:
    """The model. `orders`, `fills` and `parts` are what causes may be, by their names."""

    def __init__(self, rules: SettlementTerms, net: NetTerms, fine: Price) -> None:
        self.rules, self.net, self.fine = rules, net, fine
        self.worth: Counter[bytes] = Counter()
        self.wallets: Counter[bytes] = Counter()
        self.orders: dict[bytes, Order] = {}
        self.fills: dict[bytes, Fill] = {}
        self.parts: dict[bytes, Part] = {}
        self.posters: dict[bytes, bytes] = {}
        self.bound: dict[bytes, Fill] = {}
        self.ended: set[bytes] = set()
        self.finals: set[bytes] = set()
        self.references: set[bytes] = set()
        self.crossings: Counter[bytes] = Counter()
        self.open = {named.address for named in Named}
        self.settled: Counter[tuple[bytes, str]] = Counter()
        self.rated: Counter[tuple[bytes, str]] = Counter()
        self.scores: dict[bytes, int] = {}
        self.demanded: set[tuple[bytes, int]] = set()
        self.asked: dict[tuple[bytes, bool, int], bytes] = {}
        self.deposited: set[bytes] = set()
        self.vault = NOBODY
        self.slashed = 0
        """Of what the vault burned, what its currency does not show yet."""
        self.buyers: dict[bytes, bytes] = {}
        self.sellers: dict[bytes, bytes] = {}
        self.charges: dict[bytes, int] = {}
        self.levied: Counter[bytes] = Counter()

    def copy(self) -> "Books":
        """Return the same books, to be moved apart."""
        found = Books(self.rules, self.net, self.fine)
        for name, value in vars(self).items():
            setattr(found, name, value.copy() if hasattr(value, "copy") else value)
        return found

    def learn(self, fills: Sequence[Fill], orders: Mapping[bytes, Order]) -> None:
        """Know fills and orders by their names: a call named them."""
        self.fills |= {one.hash: one for one in fills}
        self.orders |= orders

    def take(
        self,
        logs: Sequence[Event],
        deliveries: Mapping[bytes, int],
        found: Mapping[bytes, int],
    ) -> None:
        """Move the model by an accepted call's events; `found` is the vault's word afterwards."""
        names = [f"{log.contract.value}.{log.name}" for log in logs]
        for name, log in zip(names, logs, strict=True):
            self._one(name, log.values, deliveries, found)
        burned = [
            log.values for log, name in zip(logs, names, strict=True) if name == "vault.Burned"
        ]
        slashed = [
            v
            for v, n in zip((log.values for log in logs), names, strict=True)
            if n == "council.Slashed"
        ]
        # the vault's currency follows what it burns at once, or when somebody retires it
        left = sum(
            v["value"]
            for v, name in zip((log.values for log in logs), names, strict=True)
            if name == "currency.Transfer" and v["receiver"] == NOBODY and v["sender"] == self.vault
        )
        self.slashed += sum(v["amount"] for v in burned) - left
        if slashed:
            self._slashed(burned, slashed)
        elif (burned and any(name.startswith("evidence.") for name in names)) or (
            burned and "crossing.SentHome" not in names
        ):
            # the poster is paid, of a part or of a clearing, whoever answers for it
            self._forfeited(burned, self.posters.get(burned[0]["ref"], OPERATOR))

    def _one(
        self,
        name: str,
        v: Mapping[str, Any],
        deliveries: Mapping[bytes, int],
        found: Mapping[bytes, int],
    ) -> None:
        match name:
            case "registry.Registered":
                self.open.add(v["account"])
            case "registry.DepositHeld":
                self.deposited.add(v["account"])
            case "registry.Fined":
                self._pay(v["account"], FINES, v["amount"])
            case "vault.Minted":
                assert v["ref"] not in self.references, "a reference entered twice"
                self.references.add(v["ref"])
                self.worth[v["account"]] += v["amount"]
            case "vault.Deposited" | "vault.Arrived":
                self.worth[v["account"]] += v["amount"]
                if name == "vault.Arrived":
                    self.crossings[b"home"] += v["amount"]
            case "vault.Withdrawn" | "vault.Departed" | "vault.Burned":
                self.worth[v["account"]] -= v["amount"]
                if name == "vault.Departed":
                    self.crossings[b"away"] += v["amount"]
            case "currency.Transfer":
                self.wallets[v["sender"]] -= v["value"]
                self.wallets[v["receiver"]] += v["value"]
            case "crossing.Refunded":
                fill = self.fills[v["fill"]]
                assert v["buyer"] == fill.buyer, "another's refund"
                self.crossings[v["fill"]] += v["amount"]
                assert self.crossings[v["fill"]] <= fill.lock, "more came home than left"
            case "settlement.Settled":
                self._settled(v, deliveries)
            case "settlement.Paid":
                self._paid(v, found)
            case "fallback.Paid":
                self._paid_for_part(v)
            case "fallback.Refunded":
                self._end(v["fill"])
                assert v["amount"] <= self.fills[v["fill"]].lock
            case "settlement.TakenBack":
                self._end(v["fill"])
                assert v["amount"] == self.fills[v["fill"]].lock
            case "orders.Bound":
                self.bound[v["fill"]] = self.fills[v["fill"]]
                assert v["locked"] == self.fills[v["fill"]].lock
            case "supply.Billed":
                self._pay(v["account"], GRID, v["purchase"])
                # the network's share is a part of the purchase
                self._pay(GRID, NETWORK, v["network_share"])
                self._pay(GRID, v["account"], v["sale"])
            case "supply.LossBought":
                self._pay(NETWORK, GRID, v["cost"])
            case "incentive.Granted":
                assert v["paid"] <= v["charge"], "an incentive above the network charge"
                self._pay(INCENTIVE, v["plant"], v["paid"])
            case "reputation.Rated":
                self._rated(v)
            case "reputation.Yielded":
                assert v["score"] == self.scores.get(v["seller"], v["score"])
                self.scores[v["seller"]] = 0
            case "reputation.Inherited":
                self.scores[v["seller"]] = v["score"]
            case "net.Posted":
                self.posters[v["key"]] = v["poster"]
            case "net.Finalised":
                assert v["key"] not in self.finals, "a part applied twice"
                self.finals.add(v["key"])
                part_ = self.parts[v["key"]]
                for row, change in zip(part_.rows, part_.changes, strict=True):
                    assert -change.delta + change.held <= row.lock, "a debit above the lock"
                    self.worth[row.account] += change.delta
                for row, said in zip(part_.rows, part_.ratings, strict=True):
                    self.settled[row.account, "agreed"] += said.agreed
                    self.settled[row.account, "sent"] += said.sent
            case "wallets.Opened":
                assert v["account"] not in self.open, "a wallet opened twice"
                self.open.add(v["account"])
                self._pay(v["buyer"], v["account"], v["amount"])
                self.buyers[v["account"]] = v["buyer"]
            case "wallets.Named":
                self.sellers[v["account"]] = v["seller"]
                self.charges[v["account"]] = v["charge"]
            case "wallets.Confirmed" | "wallets.Metered":
                self._pay(v["account"], self.sellers[v["account"]], v["paid"])
                self._charged(v["account"], v["charge"])
            case "wallets.Broken":
                assert max(v["undelivered"], v["withheld"]) > 0, "a fine for nothing"
                owed = amount(self.fine, v["undelivered"]) + amount(self.fine, v["withheld"])
                assert v["fined"] <= owed, "a fine above its rate"
            case "wallets.Returned":
                assert v["buyer"] == self.buyers[v["account"]], "another's wallet"
                self._pay(v["account"], v["buyer"], v["amount"])
            case "challenge_book.Answered":
                del self.asked[v["clearing"], bool(v["of_orders"]), v["index"]]
            case "evidence.Demanded":
                self.demanded.add((v["key"], v["index"]))

    def _pay(self, giver: bytes, taker: bytes, money: int) -> None:
        self.worth[giver] -= money
        self.worth[taker] += money

    def _charged(self, wallet: bytes, charge: int) -> None:
        """The network's two shares, rounded over all that the wallet paid so far."""
        before = self.levied[wallet]
        assert before + charge <= self.charges[wallet], "a charge above the voucher's"
        share = self.rules.loss_fund_share
        to_loss = part(before + charge, share) - part(before, share)
        self._pay(wallet, LOSS, to_loss)
        self._pay(wallet, NETWORK, charge - to_loss)
        self.levied[wallet] = before + charge

    def _end(self, name: bytes) -> Fill:
        assert name not in self.ended, "a lock shared twice"
        self.ended.add(name)
        return self.fills[name]

    def _settled(self, v: Mapping[str, Any], deliveries: Mapping[bytes, int]) -> None:
        if v["case"] == DISPUTE:
            assert sum(v[field] for field in ("paid", "charge", "refund", "reward", "claim")) == 0
            return
        fill = self._end(v["fill"])
        shared = v["paid"] + v["charge"] + v["fee_seller"] + v["fee_network"] + v["refund"]
        assert shared == fill.lock, "the parts of a lock are not the lock"
        assert v["reward"] <= part(amount(fill.price, fill.energy_wh), self.rules.reward)
        assert v["claim"] <= v["paid"] + v["charge"]
        to_loss = part(v["charge"], self.rules.loss_fund_share)
        self._pay(fill.buyer, fill.seller, v["paid"] + v["fee_seller"])
        self._pay(fill.buyer, LOSS, to_loss + v["fee_network"])
        self._pay(fill.buyer, NETWORK, v["charge"] - to_loss)
        self._pay(REWARD, fill.seller, v["reward"])
        self._pay(LOSS, fill.buyer, v["claim"])
        self._count(fill.seller, deliveries[v["fill"]])

    def _paid(self, v: Mapping[str, Any], found: Mapping[bytes, int]) -> None:
        fill = self._end(v["fill"])
        to_seller, charge, refund = (v["money"] >> shift & MASK_80 for shift in (160, 80, 0))
        fee = fill.lock - to_seller - charge - refund
        assert fee >= 0, "more than the lock"
        # the event leaves out what came on top: it is what its payers have less, within the rule
        to_loss = part(charge, self.rules.loss_fund_share)
        reward = self.worth[REWARD] - found[REWARD]
        claim = self.worth[LOSS] + to_loss + fee - found[LOSS]
        assert 0 <= reward <= part(amount(fill.price, fill.energy_wh), self.rules.reward)
        assert 0 <= claim <= to_seller + charge
        self._pay(fill.buyer, fill.seller, to_seller)
        self._pay(fill.buyer, LOSS, to_loss + fee)
        self._pay(fill.buyer, NETWORK, charge - to_loss)
        self._pay(REWARD, fill.seller, reward)
        self._pay(LOSS, fill.buyer, claim)
        self._count(fill.seller, v["delivery"])

    def _paid_for_part(self, v: Mapping[str, Any]) -> None:
        fill = self._end(v["fill"])
        to_seller, charge, back = (v["money"] >> shift & MASK_80 for shift in (160, 80, 0))
        fee = fill.lock - to_seller - charge - back
        assert fee >= 0, "more than the lock"
        assert v["reward"] <= part(amount(fill.price, fill.energy_wh), self.rules.reward)
        to_loss = part(charge, self.rules.loss_fund_share)
        self._pay(fill.buyer, fill.seller, to_seller)
        self._pay(fill.buyer, LOSS, to_loss + fee)
        self._pay(fill.buyer, NETWORK, charge - to_loss)
        self._pay(REWARD, fill.seller, v["reward"])

    def _count(self, seller: bytes, delivery: int) -> None:
        self.settled[seller, "agreed"] += delivery >> 208
        self.settled[seller, "sent"] += delivery >> 168 & MASK_40

    def _rated(self, v: Mapping[str, Any]) -> None:
        seller = v["seller"]
        for what in ("agreed", "sent"):
            self.rated[seller, what] += v[what]
            assert self.rated[seller, what] <= self.settled[seller, what], "rated beyond settled"
        assert v["before"] == self.scores.get(seller, v["before"])
        self.scores[seller] = v["now"]

    def _slashed(
        self, burned: Sequence[Mapping[str, Any]], slashed: Sequence[Mapping[str, Any]]
    ) -> None:
        # several in one call would be told apart by their order: the contracts slash one at a time
        (one,), (gone,) = slashed, burned
        assert one["amount"] <= self.net.bond
        assert 2 * gone["amount"] >= one["amount"], "less than half burned"
        left = one["amount"] - gone["amount"]
        for taker in (purse(one["challenger"]), purse(one["injured"])):
            if taker in self.open:
                self._pay(purse(one["account"]), taker, one["amount"] // 4)
                left -= one["amount"] // 4
        assert left == 0, "slashed money went astray"

    def _forfeited(self, burned: Sequence[Mapping[str, Any]], poster: bytes) -> None:
        (gone,) = burned
        if purse(poster) in self.open:
            assert gone["amount"] == self.net.stake - self.net.stake // 2
            self._pay(gone["account"], purse(poster), self.net.stake // 2)
        else:
            assert gone["amount"] == self.net.stake


def filled(region: bytes, interval: int, given: Mapping[str, Any]) -> Fill:
    """Return the fill that a call names by `packing.Fill`."""
    terms = given["terms"]
    return made(region, interval, given, terms)


def made(region: bytes, interval: int, named: Mapping[str, Any], terms: int) -> Fill:
    """Return a fill of an order pair's names and its word of terms."""
    return Fill(
        region=region,
        interval=interval,
        tier=terms & 255,  # type: ignore[arg-type]  # any number may stand in a call
        index=terms >> 8 & 2**16 - 1,
        bid=named["bid"],
        offer=named["offer"],
        buyer=_bytes(named["buyer"]),
        seller=_bytes(named["seller"]),
        energy_wh=terms >> 120 & MASK_40,
        price=terms >> 72 & 2**48 - 1,
        charge=terms >> 24 & 2**48 - 1,
    )


def ordered(given: Mapping[str, Any]) -> Order:
    """Return the order that a call names by `book.Order`."""
    fields = dict(given)
    fields["energy_wh"] = fields.pop("energy")
    fields["participant"] = _bytes(fields["participant"])
    return Order(**fields)


def _bytes(address: str) -> bytes:
    return bytes.fromhex(address[2:])
