"""A ledger in plain dicts: the fast twin of the chain, for tests and studies over many seeds.

It trusts the amounts that the rules computed but checks that they add up and that nobody spends
what he does not have: the refusals of the contracts, without signatures, hashes or a disk. One
function per record, in the order of the trading cycle. `market_ledger` is the real one; both pass
`tests/unit/ledger/conformance.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keccak import keccak, name_hash
from gridpact.errors import Disagreement, Reverted, WriteConflict
from gridpact.ledger.coherence import require_coherent, require_fined
from gridpact.ledger.ledger import Head, Totals
from gridpact.ledger.memory.net import PlainNet
from gridpact.ledger.memory.orders import PlainOrders
from gridpact.ledger.memory.vault import Journalled, PlainVault, Pot
from gridpact.ledger.onchain.netting import HELD
from gridpact.model.delivery import Delivery
from gridpact.model.interval import Key
from gridpact.model.order import NONE
from gridpact.model.participant import Account, Named, ReviewTerms, Role
from gridpact.model.rating import (
    CredibilityTerms,
    FeedbackTerms,
    RatingTerms,
    Standing,
    prior,
)
from gridpact.model.record import (
    Anchor,
    Book,
    Commitment,
    Confirmed,
    Crossing,
    Emptied,
    Finalised,
    Fine,
    Found,
    Incentive,
    Inheritance,
    Meters,
    Prices,
    R,
    Rated,
    Rating,
    Record,
    Refund,
    Returned,
    Rotation,
    Settlement,
    Verdicts,
    content_hash,
    encode,
    entrance,
)
from gridpact.model.statement import Bill, Case, SettlementTerms, Statement
from gridpact.model.trade import Fill
from gridpact.quantities import PPM, Money, Score, Wh, amount, part

_GENESIS = Head(0, NONE)


class MemoryLedger:
    """One chain of one region or zone, kept in memory (`ledger.Ledger`)."""

    def __init__(self, name: str, chain_id: int = 1) -> None:
        self._name = name
        self._domain = Domain(chain_id, name_hash(f"registry of {name}")[12:])
        self._vault = PlainVault()
        self._orders = PlainOrders(self._vault)
        self._net = PlainNet(self._vault)
        self._written: dict[Key, tuple[Record, Head]] = {}
        self._head = _GENESIS
        self._terms = SettlementTerms()
        self._rating: RatingTerms = FeedbackTerms()
        self._review = ReviewTerms()
        self._prices: Journalled[tuple[bytes, int], Prices] = Journalled()
        self._locked: Journalled[Fill, bool] = Journalled()
        self._held: Journalled[bytes, Wh] = Journalled()
        self._curtailed: Journalled[tuple[int, bytes], Wh] = Journalled()
        self._delivered: Journalled[tuple[bytes, int], bool] = Journalled()
        self._crossed: Journalled[bytes, tuple[bytes, Money]] = Journalled()
        self._crossings: Journalled[bytes, tuple[Crossing, str]] = Journalled()
        self._volumes: Journalled[tuple[bytes, bytes, int], tuple[Wh, Wh]] = Journalled()
        self._scores: Journalled[bytes, Score] = Journalled()
        self._standings: Journalled[bytes, Standing] = Journalled()
        self._deposits: Journalled[bytes, Money] = Journalled()
        self._anchors: Journalled[bytes, Anchor] = Journalled()

    @property
    def name(self) -> str:
        return self._name

    @property
    def domain(self) -> Domain:
        return self._domain

    @property
    def currency(self) -> Domain:
        return Domain(self._domain.chain_id, name_hash(f"currency of {self._name}")[12:])

    def write(self, key: Key, record: Record) -> Head:
        known = self._written.get(key)
        if known is not None:
            first, head = known
            if first != record:
                raise WriteConflict(key, content_hash(encode(first)), content_hash(encode(record)))
            return head
        try:
            self._apply(key, record)
            if not self.totals().holds:
                raise Disagreement(f"money of {self._name}", self.totals(), "nothing lost or made")
        except Exception:
            for journal in self._journals():
                journal.undo()
            raise
        for journal in self._journals():
            journal.keep()
        self._head = Head(self._head.number + 1, keccak(self._head.hash + key.packed))
        self._written[key] = record, self._head
        return self._head

    def read(self, key: Key, kind: type[R]) -> R | None:
        found = self._written.get(key)
        if found is None:
            return None
        record = found[0]
        if not isinstance(record, kind):
            raise TypeError(f"{key} holds a {type(record).__name__}, not a {kind.__name__}")
        return record

    def written_at(self, key: Key) -> Head | None:
        found = self._written.get(key)
        return found[1] if found else None

    def account(self, address: bytes) -> Account:
        return self._vault.account(address)

    def accounts(self) -> Mapping[bytes, Account]:
        return self._vault.all()

    def score(self, address: bytes) -> Score:
        known = self._scores.get(address)
        return prior(self._rating) if known is None else known

    def standing(self, address: bytes) -> Standing:
        return self._standings.get(address) or Standing()

    def active(self, address: bytes) -> bool:
        known = self._vault.accounts.get(address) is not None
        return known and address not in self._orders.suspended

    def deposit(self, address: bytes) -> Money:
        return self._deposits.get(address) or 0

    def totals(self) -> Totals:
        return self._vault.totals()

    def head(self) -> Head:
        return self._head

    def state_hash(self) -> bytes:
        """Return a hash over every record and account; not comparable with a chain's."""
        records = b"".join(
            key.packed + content_hash(encode(record))
            for key, (record, _) in sorted(
                self._written.items(), key=lambda item: item[1][1].number
            )
        )
        accounts = b"".join(
            address + b"".join(pot.to_bytes(12, "big") for pot in pots)
            for address, pots in sorted(self._vault.accounts.items.items())
        )
        return keccak(records + accounts)

    def close(self) -> None:
        """Nothing to release."""

    def _journals(self) -> Sequence[Journalled[Any, Any]]:
        return (
            *self._vault.journals(),
            self._net.locked,
            self._net.posted,
            self._net.final,
            self._orders.left,
            self._orders.books,
            self._orders.out,
            self._prices,
            self._locked,
            self._held,
            self._curtailed,
            self._delivered,
            self._crossed,
            self._crossings,
            self._volumes,
            self._scores,
            self._standings,
            self._deposits,
            self._anchors,
        )

    def _apply(self, key: Key, record: Record) -> None:
        require_coherent(self._name, record)
        match record:
            case Found():
                self._found(record)
            case Rotation():
                self._rotate(key, record)
            case Emptied():
                for account in record.accounts:
                    free = self._vault.free(account)
                    self._vault.burn(account, free, keccak(key.packed + account))
            case Book():
                self._orders.suspend(record.suspended)
                self._orders.collect((key.region, key.interval), record.orders)
            case Prices():
                self._prices.put((key.region, key.interval), record)
            case Commitment():
                self._commit(key, record)
            case Confirmed():
                self._confirm(record.crossing)
            case Returned():
                self._return(record)
            case Verdicts():
                self._judge(key, record)
            case Meters():
                self._delivered.put((key.region, key.interval), True)
                self._curtail(key, record)
            case Settlement():
                self._settle(key, record)
            case Rating():
                self._rate(key, record)
            case Finalised():
                self._finalise(key, record)
            case Anchor():
                self._anchor(record)

    # found

    def _found(self, found: Found) -> None:
        self._terms, self._rating = found.settlement, found.rating
        self._review = found.review
        self._orders.regions = frozenset(
            p.address for p in found.participants if Role.REGION in p.roles
        )
        for named in Named:
            self._vault.open(named.address)
        for participant in found.participants:
            self._vault.open(participant.address)
            if isinstance(found.rating, CredibilityTerms) and participant.reference_wh:
                volume = Standing(volume=participant.reference_wh)
                self._standings.put(participant.address, volume)
        self._vault.daily_cap = found.door.daily_cap
        for deposit in found.deposits:
            day = deposit.warrant.day
            self._vault.mint(deposit.account, deposit.amount, deposit.reference, day)
        for security in found.securities:
            self._vault.shift(security.account, Pot.FREE, Pot.LOCKED, security.amount)
            self._deposits.put(security.account, self.deposit(security.account) + security.amount)
        if found.council.members:
            for account in (Named.OPERATOR.address, *found.council.members):
                self._vault.shift(account, Pot.FREE, Pot.LOCKED, found.net.bond)

    def _rotate(self, key: Key, rotation: Rotation) -> None:
        for one, warrant in zip(rotation.participants, rotation.warrants, strict=True):
            self._vault.open(one.address)
            reference = entrance(key.region, one.address)
            self._vault.mint(one.address, rotation.entering, reference, warrant.day)
        for share in rotation.inheritances:
            self._inherit(share)

    def _inherit(self, share: Inheritance) -> None:
        if isinstance(self._rating, CredibilityTerms):
            raise Reverted("reputation: standings are not carried")
        left = sum(self.score(one) for one in share.leaving)
        for one in share.leaving:
            self._scores.put(one, 0)
        for heir in share.heirs:
            if self._scores.get(heir.participant) is not None:
                raise Reverted("reputation: rated before", heir.participant.hex())
            if heir.score > left:
                raise Reverted("reputation: more than was left", heir.participant.hex())
            left -= heir.score
            self._scores.put(heir.participant, heir.score)

    # commit

    def _commit(self, key: Key, commitment: Commitment) -> None:
        day = commitment.warrant.day
        if commitment.refused is not None:
            self._refuse(commitment.refused)
            self._vault.mint(Named.OPERATOR.address, 0, commitment.refused.id, day)
        if commitment.arrived is not None:
            self._receive(commitment.arrived)
        if commitment.bid is not None:
            crossing = commitment.arrived
            if crossing is not None:
                region = commitment.bid.order.participant
                self._vault.mint(region, crossing.amount, crossing.id, day)
            self._orders.collect((key.region, key.interval), (commitment.bid,))
        for fill in (*commitment.fills, *commitment.crossed):
            prices = self._prices.get((key.region, key.interval))
            if prices is None or fill.price + fill.charge > prices.retail:
                raise Reverted("settlement: above retail", fill.hash.hex())
        for fill in commitment.fills if commitment.net is None else ():
            if self._locked.get(fill) is not None:
                raise Reverted("settlement: fill is locked already", fill.hash.hex())
            self._orders.take_bid(fill)
            self._orders.take_offer(fill)
            self._vault.shift(fill.buyer, Pot.RESERVED, Pot.LOCKED, fill.lock)
            self._locked.put(fill, True)
        self._cross(commitment.crossed, commitment.departed)
        self._orders.close((key.region, key.interval))
        if commitment.net is not None:
            self._net.lock(key, commitment.net)

    def _cross(self, fills: Sequence[Fill], crossing: Crossing | None) -> None:
        for fill in fills:
            name = fill.hash
            if self._crossed.get(name) is not None:
                raise Reverted("settlement: fill has crossed already", name.hex())
            self._orders.take_bid(fill)
            self._vault.depart(fill.buyer, fill.lock)
            self._crossed.put(name, (fill.buyer, fill.lock))
        if crossing:
            self._send(crossing)

    # deliver

    def _judge(self, key: Key, said: Verdicts) -> None:
        if self._delivered.get((key.region, key.interval)):
            raise Reverted("verdicts: the meters have spoken")
        for hold in said.holds:
            if self._held.get(hold.fill) not in (None, hold.energy_wh):
                raise Reverted("settlement: held otherwise", hold.fill.hex())
            if not hold.energy_wh:
                raise Reverted("settlement: nothing held", hold.fill.hex())
            self._held.put(hold.fill, hold.energy_wh)

    def _curtail(self, key: Key, meters: Meters) -> None:
        for row in meters.curtailed:
            at = (key.interval, row.participant)
            self._curtailed.put(at, (self._curtailed.get(at) or 0) + row.energy_wh)

    # settle

    def _settle(self, key: Key, settlement: Settlement) -> None:
        rows = zip(settlement.fills, settlement.deliveries, settlement.statements, strict=True)
        for fill, delivery, statement in rows if settlement.net is None else ():
            self._settle_fill(key, fill, delivery, statement)
        if settlement.net is not None:
            self._net.post((key.region, key.interval, 0), settlement.net)
        self._refund(settlement.refunds, settlement.arrived)
        if settlement.departed is not None:
            self._send(settlement.departed)
            departed = settlement.departed
            self._vault.burn(settlement.fills[0].buyer, departed.amount, departed.id)
        prices = self._prices.get((key.region, key.interval))
        for bill in settlement.bills:
            self._bill(bill, prices)
        if settlement.network_loss_cost:
            self._vault.pay(
                Named.NETWORK_OPERATOR.address,
                Pot.FREE,
                Named.GRID_SUPPLY.address,
                settlement.network_loss_cost,
            )
        for incentive in settlement.incentives:
            self._grant(incentive)

    def _settle_fill(self, key: Key, fill: Fill, delivery: Delivery, statement: Statement) -> None:
        if not self._locked.get(fill):
            raise Reverted("settlement: fill is not locked", statement.fill.hex())
        if delivery.agreed + delivery.unused + delivery.held != fill.energy_wh:
            raise Reverted("settlement: energy of a fill does not add up", statement.fill.hex())
        if delivery.sent > delivery.agreed or delivery.unused_sent > delivery.unused:
            raise Reverted("settlement: more sent than agreed", statement.fill.hex())
        if statement.case is Case.DISPUTE:
            return
        self._leave_out(key.interval, fill, delivery)
        self._pay_fill(fill, statement)
        self._locked.put(fill, False)
        seller = (fill.seller, key.region, key.interval)
        agreed, sent = self._volumes.get(seller) or (0, 0)
        self._volumes.put(seller, (agreed + delivery.agreed, sent + delivery.sent))

    def _leave_out(self, interval: int, fill: Fill, delivery: Delivery) -> None:
        """Check that what a delivery leaves out was held by sensors, or curtailed and not used."""
        beyond = delivery.held - (self._held.get(fill.hash) or 0)
        if beyond < 0:
            raise Reverted("settlement: a hold is left out", fill.hash.hex())
        if beyond:
            at = (interval, fill.seller)
            left = (self._curtailed.get(at) or 0) - beyond
            if left < 0:
                raise Reverted("clearing: nobody held it", fill.hash.hex())
            self._curtailed.put(at, left)

    def _pay_fill(self, fill: Fill, s: Statement) -> None:
        spent = s.paid + s.charge + s.fee_seller + s.fee_network + s.refund
        if spent != fill.lock:
            raise Disagreement(f"lock of fill {s.fill.hex()[:16]}", fill.lock, spent)
        to_fund = part(s.charge, self._terms.loss_fund_share)
        fund, wires = Named.NETWORK_LOSS.address, Named.NETWORK_OPERATOR.address
        pay = self._vault.pay
        pay(fill.buyer, Pot.LOCKED, fill.seller, s.paid + s.fee_seller)
        pay(fill.buyer, Pot.LOCKED, fund, to_fund + s.fee_network)
        pay(fill.buyer, Pot.LOCKED, wires, s.charge - to_fund)
        self._vault.shift(fill.buyer, Pot.LOCKED, Pot.FREE, s.refund)
        pay(Named.REWARD.address, Pot.FREE, fill.seller, s.reward)
        pay(fund, Pot.FREE, fill.buyer, s.claim)
        self._empty(Named.REWARD.address, s.unpaid_reward)
        self._empty(fund, s.unpaid_claim)

    def _bill(self, bill: Bill, prices: Prices | None) -> None:
        if prices is None:
            raise Reverted("settlement: no prices of this interval")
        owed = amount(prices.retail, bill.bought_wh)
        energy_part = owed - min(amount(prices.network_share, bill.bought_wh), owed)
        share = max(bill.purchase - energy_part, 0)
        due = amount(prices.feed_in, bill.sold_wh)
        if (owed, share, due) != (
            bill.purchase + bill.unpaid_purchase,
            bill.network_share,
            bill.sale + bill.unpaid_sale,
        ):
            raise Disagreement(f"bill of {bill.participant.hex()}", (owed, share, due), bill)
        grid, wires = Named.GRID_SUPPLY.address, Named.NETWORK_OPERATOR.address
        pay = self._vault.pay
        pay(bill.participant, Pot.FREE, grid, bill.purchase - bill.network_share)
        pay(bill.participant, Pot.FREE, wires, bill.network_share)
        self._empty(bill.participant, bill.unpaid_purchase)
        pay(grid, Pot.FREE, bill.participant, bill.sale)
        self._empty(grid, bill.unpaid_sale)

    def _empty(self, account: bytes, unpaid: Money) -> None:
        """Check that an account which left a claim unpaid had nothing left to pay with."""
        if unpaid < 0 or (unpaid and self._vault.free(account)):
            raise Disagreement(f"unpaid by {account.hex()}", 0, unpaid)

    def _refund(self, refunds: Sequence[Refund], crossing: Crossing | None) -> None:
        if crossing:
            self._receive(crossing)
        self._give_back(refunds)

    def _give_back(self, refunds: Sequence[Refund]) -> None:
        for refund in refunds:
            crossed = self._crossed.get(refund.fill)
            if crossed is None or crossed[0] != refund.buyer or refund.amount > crossed[1]:
                raise Reverted("settlement: refund of what did not cross", refund.fill.hex())
            self._crossed.put(refund.fill, (refund.buyer, crossed[1] - refund.amount))
            self._vault.arrive(refund.buyer, refund.amount)

    def _grant(self, incentive: Incentive) -> None:
        most = amount(incentive.rate, incentive.energy_wh)
        if incentive.paid > most:
            raise Disagreement("incentive", most, incentive.paid)
        self._vault.pay(Named.INCENTIVE.address, Pot.FREE, incentive.plant, incentive.paid)

    # crossings: one state per id and chain

    def _send(self, crossing: Crossing) -> None:
        if self._crossings.get(crossing.id) is not None:
            raise Reverted("settlement: crossing used", crossing.id.hex())
        self._crossings.put(crossing.id, (crossing, "sent"))

    def _receive(self, crossing: Crossing) -> None:
        if self._crossings.get(crossing.id) is not None:
            raise Reverted("settlement: crossing used", crossing.id.hex())
        self._crossings.put(crossing.id, (crossing, "received"))

    def _refuse(self, crossing: Crossing) -> None:
        if self._crossings.get(crossing.id) is not None:
            raise Reverted("settlement: crossing used", crossing.id.hex())
        self._crossings.put(crossing.id, (crossing, "refused"))

    def _confirm(self, crossing: Crossing) -> None:
        self._end(crossing, "confirmed")

    def _return(self, returned: Returned) -> None:
        self._end(returned.crossing, "returned")
        self._give_back(returned.refunds)

    def _end(self, crossing: Crossing, how: str) -> None:
        if self._crossings.get(crossing.id) != (crossing, "sent"):
            raise Reverted(f"settlement: nothing to be {how}", crossing.id.hex())
        self._crossings.put(crossing.id, (crossing, how))

    # rate and seal

    def _rate(self, key: Key, rating: Rating) -> None:
        for rated in rating.rated:
            volume = self._volumes.get((rated.participant, key.region, key.interval))
            if volume != (rated.agreed_wh, rated.sent_wh):
                raise Disagreement("rated energy", volume, (rated.agreed_wh, rated.sent_wh))
            self._move(rated)
            self._volumes.put((rated.participant, key.region, key.interval), (0, 0))
        require_fined(rating, self.deposit, lambda: self._review)
        for fine in rating.fines:
            self._fine(fine)

    def _fine(self, fine: Fine) -> None:
        self._vault.pay(fine.participant, Pot.LOCKED, Named.FINES.address, fine.amount)
        self._deposits.put(fine.participant, fine.left)

    def _move(self, rated: Rated) -> None:
        before = self.score(rated.participant)
        if before != rated.before or not 0 <= rated.after <= PPM:
            raise Disagreement("reputation", before, rated.before)
        self._scores.put(rated.participant, rated.after)
        if rated.standing is not None:
            self._standings.put(rated.participant, rated.standing)

    def _finalise(self, key: Key, final: Finalised) -> None:
        for one in final.parts:
            self._net.finalise(key.region, one)
        if final.held is not None and final.held.net is not None:
            first = final.parts[0]
            self._net.post((key.region, first.interval, HELD), final.held.net)
        for rated in final.rated:
            self._move(rated)
        require_fined(final, self.deposit, lambda: self._review)
        for fine in final.fines:
            self._fine(fine)

    def _anchor(self, anchor: Anchor) -> None:
        last = self._anchors.get(anchor.region)
        if (last.head if last else NONE) != anchor.previous:
            raise Reverted("anchor: another predecessor", anchor.previous.hex())
        if last and (anchor.interval <= last.interval or anchor.number <= last.number):
            raise Reverted("anchor: written once per interval", str(anchor.interval))
        self._anchors.put(anchor.region, anchor)
