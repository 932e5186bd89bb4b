"""What two devices said to each other before they traded: every word signed, in the clearing.

The mechanism `negotiation` finds who meets whom at what price by the rule of `concession`; where
devices sign, each pair that trades then says so word by word (`exchange`), and the words stand in
the clearing. The seller opens with the most that the pair may trade at, the buyer answers with its
first concession, and so on until one accepts: one round more than the concession counts, for the
opening. A device signs its own words alone, and none beyond the limit of its order.

Words are kept without what follows from their place: who speaks, what is answered, the round.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gridpact.crypto.eip712 import Domain
from gridpact.errors import InvalidClearing
from gridpact.market.concession import Concession
from gridpact.market.exchange import Agreement, Exchange, Party, Reply, negotiate, verify
from gridpact.market.local_book import LocalBook
from gridpact.model.order import Accepted, SignedOrder
from gridpact.model.proposal import Proposal, Said, SignedProposal, Talk, Word
from gridpact.model.trade import Fill
from gridpact.quantities import Price, Wh

Device = Callable[[bytes, bytes], bytes]
"""A participant's device signs a digest: (address, digest) -> signature."""


@dataclass(frozen=True)
class Pair:
    """A bid and an offer that trade `energy_wh`, and between which prices they meet."""

    bid: Accepted
    offer: Accepted
    energy_wh: Wh
    low: Price
    high: Price


def talks(
    local: LocalBook, fills: Sequence[Fill], terms: Concession, domain: Domain, device: Device
) -> tuple[Talk, ...]:
    """Return what the devices behind each fill said, in the order of the fills."""
    return tuple(talk(pair, terms, domain, device) for pair in _pairs(local, fills))


def talk(pair: Pair, terms: Concession, domain: Domain, device: Device) -> Talk:
    """Return what two devices say until they agree."""
    low, high, energy = pair.low, pair.high, pair.energy_wh

    def sells(number: int, _energy: Wh, heard: Price) -> Reply:
        asks = terms.demanded(low, high, number - 1)
        agrees = number > 1 and heard >= asks
        return Reply(Word.ACCEPT if agrees else Word.COUNTER, energy, asks)

    def buys(number: int, _energy: Wh, heard: Price) -> Reply:
        pays = terms.offered(low, high, number)
        return Reply(Word.ACCEPT if heard <= pays else Word.COUNTER, energy, pays)

    def party(of: Accepted, reply: Callable[[int, Wh, Price], Reply]) -> Party:
        who = of.order.participant
        return Party(who, reply, lambda digest: device(who, digest))

    buyer, seller = party(pair.bid, buys), party(pair.offer, sells)
    said = negotiate(_request(pair), buyer, [seller], domain, terms.rounds + 1).messages
    words = ((one.proposal, one.signature) for one in said)
    return Talk(
        pair.bid.hash,
        pair.offer.hash,
        tuple(Said(one.word, one.energy_wh, one.price, signature) for one, signature in words),
    )


def check(
    said: Sequence[Talk], local: LocalBook, fills: Sequence[Fill], terms: Concession, domain: Domain
) -> None:
    """Check that each fill is what its two devices signed, word by word.

    Raises
    ------
    InvalidClearing
        Names the first fill whose talk is missing or is another, and what is wrong with it.
    """
    if len(said) != len(fills):
        raise InvalidClearing(f"{len(said)} talks for {len(fills)} local fills")
    for index, (one, pair) in enumerate(zip(said, _pairs(local, fills), strict=True)):
        try:
            _check(one, pair, fills[index].price, terms, domain)
        except InvalidClearing as error:
            raise InvalidClearing(f"talk {index}: {error}") from error


def _check(one: Talk, pair: Pair, price: Price, terms: Concession, domain: Domain) -> None:
    if (one.bid, one.offer) != (pair.bid.hash, pair.offer.hash):
        raise InvalidClearing("is about other orders than its fill")
    found = exchange(one, pair, domain)
    verify(found, domain, terms.rounds + 1, {pair.offer.order.participant: pair.low})
    agreed = [(done.energy_wh, done.price) for done in found.agreements]
    if agreed != [(pair.energy_wh, price)]:
        raise InvalidClearing(f"agrees on {agreed}, the fill is {(pair.energy_wh, price)}")


def exchange(one: Talk, pair: Pair, domain: Domain) -> Exchange:
    """Return a talk as the exchange that it was: who said it, and what each word answers."""
    buyer, seller = pair.bid.order.participant, pair.offer.order.participant
    request = pair.bid.order.digest(domain)
    messages, agreements, answers = list[SignedProposal](), list[Agreement](), request
    for place, word in enumerate(one.said):
        who = buyer if place % 2 else seller
        said = Proposal(
            *(who, request, answers, 1 + place // 2),
            *(word.word, word.energy_wh, word.price),
        )
        messages.append(SignedProposal(said, word.signature))
        answers = said.digest(domain)
        if word.word is Word.ACCEPT:
            agreements.append(Agreement(seller, word.energy_wh, word.price, answers))
    return Exchange(_request(pair), tuple(messages), tuple(agreements))


def _request(pair: Pair) -> SignedOrder:
    return SignedOrder(pair.bid.order, pair.bid.signature, pair.bid.attributes)


def _pairs(local: LocalBook, fills: Sequence[Fill]) -> Iterator[Pair]:
    bids = {one.hash: row for row, one in enumerate(local.bids)}
    offers = {one.hash: row for row, one in enumerate(local.offers)}
    for fill in fills:
        bid, offer = bids[fill.bid], offers[fill.offer]
        low, high = int(local.book.asked[offer]), int(local.book.ceiling(bid, offer))
        yield Pair(local.bids[bid], local.offers[offer], fill.energy_wh, low, high)
