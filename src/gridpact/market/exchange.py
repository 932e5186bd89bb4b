"""A negotiation with every word signed: requests, counter-offers, agreements, all on record.

[Zeng23] section 3, [Cui22] section 5; 5-decisions, section 12. The request is a signed bid. In each
round every seller that is still there accepts, answers with a changed price or volume, or ignores
it and is out; then the buyer does the same with what it got, the cheapest first. After k rounds
what is not agreed is not traded. `verify` checks a whole exchange afterwards, whoever kept it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keccak import keccak
from gridpact.crypto.recovery import signed_by
from gridpact.errors import InvalidClearing
from gridpact.model.order import SignedOrder
from gridpact.model.proposal import Proposal, SignedProposal, Word
from gridpact.quantities import Price, Wh


@dataclass(frozen=True)
class Reply:
    """What somebody answers: accepts what it got, or names another volume and price."""

    word: Word
    energy_wh: Wh
    price: Price


@dataclass(frozen=True)
class Party:
    """A participant at the table.

    reply: its answer to (round, energy, price) of the other side's last word; None ignores it.
    sign: its device's signature over a digest.
    """

    address: bytes
    reply: Callable[[int, Wh, Price], Reply | None]
    sign: Callable[[bytes], bytes]


@dataclass(frozen=True)
class Agreement:
    """What two agreed on: the digest of the message that accepts is its proof."""

    seller: bytes
    energy_wh: Wh
    price: Price
    proof: bytes


@dataclass(frozen=True)
class Exchange:
    """A bid, every message about it in the order of time, and what was agreed."""

    request: SignedOrder
    messages: tuple[SignedProposal, ...]
    agreements: tuple[Agreement, ...]

    def root(self, domain: Domain) -> bytes:
        """Return one hash over the whole exchange, for the record."""
        words = [self.request.order.digest(domain), self.request.signature]
        for one in self.messages:
            words += [one.proposal.digest(domain), one.signature]
        return keccak(b"".join(words))


@dataclass
class _Table:
    """A negotiation under way: the last word to each seller, and what is still wanted."""

    domain: Domain
    request: bytes
    wanted: Wh
    messages: list[SignedProposal] = field(default_factory=list)
    agreements: list[Agreement] = field(default_factory=list)

    def say(self, who: Party, answers: bytes, number: int, reply: Reply) -> tuple[bytes, Proposal]:
        """Sign a reply and put it on record; return its digest with it."""
        said = Proposal(
            *(who.address, self.request, answers, number),
            *(reply.word, reply.energy_wh, reply.price),
        )
        digest = said.digest(self.domain)
        self.messages.append(SignedProposal(said, who.sign(digest)))
        return digest, said

    def agree(self, seller: bytes, said: Proposal, proof: bytes) -> None:
        self.agreements.append(Agreement(seller, said.energy_wh, said.price, proof))
        self.wanted -= said.energy_wh


def negotiate(
    request: SignedOrder, buyer: Party, sellers: Sequence[Party], domain: Domain, rounds: int
) -> Exchange:
    """Return the whole exchange about a bid: at most `rounds` answers of each side to each other.

    An acceptance is for what the other side proposed, at most what the buyer still wants; an
    acceptance when nothing is wanted any more is not asked for.
    """
    order = request.order
    digest = order.digest(domain)
    table = _Table(domain, digest, order.energy_wh)
    heard = {one.address: (digest, order.energy_wh, order.price) for one in sellers}
    for number in range(1, rounds + 1):
        counters = list[tuple[Party, bytes, Proposal]]()
        for seller in sellers:
            if seller.address not in heard or table.wanted <= 0:
                continue
            answers, energy, price = heard.pop(seller.address)
            reply = seller.reply(number, min(energy, table.wanted), price)
            if reply is None:
                continue
            if reply.word is Word.ACCEPT:
                reply = Reply(Word.ACCEPT, min(reply.energy_wh, energy, table.wanted), price)
            name, said = table.say(seller, answers, number, reply)
            if said.word is Word.ACCEPT:
                table.agree(seller.address, said, name)
            else:
                counters.append((seller, name, said))
        counters.sort(key=lambda one: (one[2].price, -one[2].energy_wh, one[0].address))
        for seller, answers, said in counters:
            if table.wanted <= 0:
                break
            energy = min(said.energy_wh, table.wanted)
            reply = buyer.reply(number, energy, said.price)
            if reply is None:
                continue
            if reply.word is Word.ACCEPT:
                reply = Reply(Word.ACCEPT, min(reply.energy_wh, energy), said.price)
            name, answer = table.say(buyer, answers, number, reply)
            if answer.word is Word.ACCEPT:
                table.agree(seller.address, answer, name)
            else:
                heard[seller.address] = (name, answer.energy_wh, answer.price)
    return Exchange(request, tuple(table.messages), tuple(table.agreements))


def verify(exchange: Exchange, domain: Domain, rounds: int, least: Mapping[bytes, Price]) -> None:
    """Check a whole exchange: who signed, who answered whom, and what the agreements say.

    Parameters
    ----------
    least
        Price of each seller's offer: nobody else may answer, and none agrees below it.

    Raises
    ------
    InvalidClearing
        Names the first message or agreement that is not right.
    """
    order = exchange.request.order
    request = order.digest(domain)
    if not signed_by(order.participant, request, exchange.request.signature):
        raise InvalidClearing("the request is not signed by its participant")
    first = _Said(order.participant, None, order.energy_wh, order.price)
    said, answered, proofs = {request: first}, set[tuple[bytes, bytes]](), list[Agreement]()
    for number, one in enumerate(exchange.messages):
        word, digest = one.proposal, one.proposal.digest(domain)
        to = said.get(word.answers) if word.request == request else None
        key = word.participant, word.answers
        if problem := _problem(one, digest, to, order.participant, least, rounds):
            raise InvalidClearing(f"message {number} {problem}")
        if key in answered or to is None:
            raise InvalidClearing(f"message {number} answers a word that has been answered")
        answered.add(key)
        seller = to.speaker if word.participant == order.participant else word.participant
        said[digest] = _Said(word.participant, seller, word.energy_wh, word.price)
        if word.word is Word.ACCEPT:
            proofs.append(Agreement(seller, word.energy_wh, word.price, digest))
    if list(exchange.agreements) != proofs:
        raise InvalidClearing("the agreements are not those that the messages accept")
    for agreed in exchange.agreements:
        if not least[agreed.seller] <= agreed.price <= order.price:
            raise InvalidClearing(f"an agreement at {agreed.price} breaks a limit of its parties")
    if sum(one.energy_wh for one in exchange.agreements) > order.energy_wh:
        raise InvalidClearing("the agreements are for more energy than was requested")


@dataclass(frozen=True)
class _Said:
    """A message that may be answered; `seller`: to or from whom, None for all."""

    speaker: bytes
    seller: bytes | None
    energy_wh: Wh
    price: Price


def _problem(
    one: SignedProposal,
    digest: bytes,
    to: _Said | None,
    buyer: bytes,
    least: Mapping[bytes, Price],
    rounds: int,
) -> str:
    """Return what is wrong with a message as an answer to another, "" if nothing."""
    word = one.proposal
    if not signed_by(word.participant, digest, one.signature):
        return "is not signed by its participant"
    if to is None:
        return "answers nothing that was said before"
    buys = word.participant == buyer
    asked = to.speaker != buyer if buys else to.speaker == buyer and word.participant in least
    if not asked or (not buys and to.seller not in (None, word.participant)):
        return "is by nobody who was asked"
    if not 1 <= word.round <= rounds:
        return f"is of round {word.round}, {rounds} are allowed"
    if word.energy_wh <= 0:
        return "is for no energy"
    if word.word is Word.ACCEPT and (word.price != to.price or word.energy_wh > to.energy_wh):
        return "accepts what was not proposed"
    return ""
