# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Net
@notice Net settlement: one part of an interval, posted as one number per account, checked by
        computation alone, applied once after a window in which anybody can prove it wrong.
        A part goes reserve -> commit -> post -> window -> finalise; every state is left once
        (5-decisions, section 17). One that was cancelled or never posted is paid fill by fill and
        then given back: `fallback.vy`.
@dev Lists are positional: row i and half word i belong together.
     Row: account 160 | reserved 48 | lock 48, accounts strictly rising.
     Delta: zero 15 | negative 1 | held 48 | tail 16 | amount 48; two to a word, the first highest.
     Rating: agreed 72 | sent 40 | tail 16, likewise; nothing reads it before `reputation.vy`.
"""

import chunks
import clearing
import clock
import council
import netting
import packing
import quorum
import registry
import signing
import vault

initializes: clock

UNUSED: constant(uint256) = 0
RESERVED: constant(uint256) = 1
COMMITTED: constant(uint256) = 2
POSTED: constant(uint256) = 3
FINAL: constant(uint256) = 4
CANCELLED: constant(uint256) = 5
RELEASED: constant(uint256) = 6
# states: poster 160 | posted 40 | until 40 | open demands 8 | state 8
POSTER: constant(uint256) = 96
AT: constant(uint256) = 56
UNTIL: constant(uint256) = 16
DEMANDS: constant(uint256) = 8
LOCKS: constant(uint256) = 2**48 - 1
MOST_FILLS: constant(uint256) = 2**14  # leaves of a tree
# how an interval is rated
BY_FILLS: constant(uint256) = 1
BY_PARTS: constant(uint256) = 2

OPERATOR: public(immutable(address))
VAULT: public(immutable(address))
COUNCIL: public(immutable(address))
FRAUD: public(immutable(address))
EVIDENCE: public(immutable(address))
FALLBACK: public(immutable(address))
CLEARING: public(immutable(address))
REPUTATION: public(immutable(address))
DOMAIN: public(immutable(bytes32))
TERMS: immutable(netting.Terms)

states: HashMap[bytes32, uint256]
books: HashMap[bytes32, bytes32]  # a part's list, and from commit `netting.book`
contents: public(HashMap[bytes32, bytes32])  # the digest that the quorum signed
covered: public(HashMap[bytes32, HashMap[uint64, uint256]])  # fills of a clearing that parts have
ways: HashMap[uint256, uint256]  # how each interval is rated, two bits each, 128 to a word


event Reserved:
    key: indexed(bytes32)
    list: bytes32


event Committed:
    key: indexed(bytes32)
    list: bytes32
    clearing: bytes32
    span: uint256


event Posted:
    key: indexed(bytes32)
    content: bytes32
    poster: address


event Finalised:
    key: indexed(bytes32)
    held: uint256


event Released:
    key: indexed(bytes32)


event Cancelled:
    key: indexed(bytes32)


@deploy
def __init__(
    operator: address,
    registry_: address,
    vault_: address,
    council_: address,
    fraud: address,
    evidence: address,
    fallback: address,
    clearing_: address,
    reputation: address,
    terms: netting.Terms,
    begins: uint256,
    seconds: uint256,
):
    """
    @notice Fix the peers and the windows; the registry, already deployed, knows the domain.
    """
    clock.__init__(begins, seconds)
    OPERATOR = operator
    VAULT = vault_
    COUNCIL = council_
    FRAUD = fraud
    EVIDENCE = evidence
    FALLBACK = fallback
    CLEARING = clearing_
    REPUTATION = reputation
    TERMS = terms
    DOMAIN = staticcall registry.__interface__(registry_).DOMAIN()


@external
def reserve(
    place: netting.Place,
    epoch: uint64,
    rows: DynArray[uint256, chunks.LONGEST],
    members: DynArray[address, quorum.MAX_COUNCIL],
    signatures: DynArray[signing.Signature, quorum.MAX_COUNCIL],
):
    """
    @notice Set money aside for a part, free -> reserved, by the quorum's word that every owner's
            signed orders ask for it. Written once per account; nothing else is until the end.
    @param rows Locks are zero here.
    """
    assert msg.sender == OPERATOR, "net: not the operator"
    key: bytes32 = netting.key(place)
    list: bytes32 = chunks.digest(4, len(rows))
    if self.states[key] != UNUSED:
        assert self.books[key] == list, "net: written otherwise"
        return
    assert place.part < netting.HELD, "net: held parts follow by themselves"
    # the operator may found a council of puppets, but only for a region that nobody lives in
    home: bytes32 = staticcall council.__interface__(COUNCIL).home()
    assert place.region == home, "net: another region"
    self._check(place, netting.RESERVE, epoch, empty(bytes32), 0, list, members, signatures)
    self.books[key] = list
    until: uint256 = max(convert(place.interval, uint256), clock.interval()) + TERMS.posting
    self.states[key] = until << UNTIL | RESERVED
    extcall vault.__interface__(VAULT).reserve_rows(rows)
    log Reserved(key=key, list=list)


@external
def commit(
    place: netting.Place,
    epoch: uint64,
    clearing_: bytes32,
    span: uint256,
    rows: DynArray[uint256, chunks.LONGEST],
    members: DynArray[address, quorum.MAX_COUNCIL],
    signatures: DynArray[signing.Signature, quorum.MAX_COUNCIL],
):
    """
    @notice Say what each account may lose at most of what it reserved, and for which fills of the
            posted clearing: the next ones that no part has. Refused when the clearing was proven
            wrong, or too late; or when somebody was rated by a single fill of the interval, for
            then no part's sellers could be.
    @param clearing_ The hash of the posted clearing.
    @param span Place of the part's first fill in the clearing 32 | how many it has 32.
    """
    assert msg.sender == OPERATOR, "net: not the operator"
    key: bytes32 = netting.key(place)
    list: bytes32 = chunks.digest(6, len(rows))
    book: bytes32 = netting.book(list, clearing_, span)
    state: uint256 = self.states[key]
    if state & packing.MASK_8 != RESERVED:
        assert self.books[key] == book, "net: written otherwise"
        return
    assert self.books[key] == chunks.masked(
        rows, max_value(uint256) ^ LOCKS
    ), "net: another reservation"
    assert clock.interval() <= (state >> UNTIL) & packing.MASK_40, "net: too late"
    for row: uint256 in rows:
        assert row & LOCKS <= (row >> 48) & LOCKS, "net: lock above reservation"
    self._check_clearing(place, clearing_)
    count: uint256 = span & packing.MASK_32
    assert span >> 32 == self.covered[place.region][place.interval], "net: not the next fills"
    assert 0 < count and count <= MOST_FILLS, "net: number of fills"
    assert self._is_rated(place.interval, BY_PARTS), "net: rated by its fills"
    self._check(place, netting.COMMIT, epoch, clearing_, span, list, members, signatures)
    self.covered[place.region][place.interval] = (span >> 32) + count
    self.books[key] = book
    self.states[key] = state ^ (RESERVED | COMMITTED)
    log Committed(key=key, list=list, clearing=clearing_, span=span)


@external
def post(
    place: netting.Place,
    epoch: uint64,
    clearing_: bytes32,
    root: bytes32,
    header: netting.Header,
    rows: DynArray[uint256, chunks.LONGEST],
    deltas: DynArray[uint256, chunks.PAIRS],
    ratings: DynArray[uint256, chunks.PAIRS],
    members: DynArray[address, quorum.MAX_COUNCIL],
    signatures: DynArray[signing.Signature, quorum.MAX_COUNCIL],
):
    """
    @notice Post what every account gains or loses. Anybody with a bond, with the quorum.
    @dev No storage is read or written per account: the list is held to its hash, every debit to
         its lock, and the deltas sum to zero. The loss and what it is shared over are those posted
         with the meters, and so is the energy sent before the clearing's first fill. The ratings
         are brought only so that everybody has them, who would prove them wrong.
    """
    key: bytes32 = netting.key(place)
    list: bytes32 = chunks.digest(9, len(rows))
    content: netting.Content = netting.Content(
        epoch=epoch,
        clearing=clearing_,
        list=list,
        root=root,
        header=header,
        deltas=chunks.digest(10, len(deltas)),
    )
    digest: bytes32 = netting.signed(DOMAIN, place, netting.POST, content)
    state: uint256 = self.states[key]
    if state & packing.MASK_8 != COMMITTED:
        assert self.contents[key] == digest, "net: written otherwise"
        return
    span: uint256 = 0 if place.part >= netting.HELD else header.energy & packing.MASK_64
    assert self.books[key] == netting.book(list, clearing_, span), "net: another list"
    assert not staticcall clearing.__interface__(CLEARING).condemned(
        place.region, place.interval
    ), "net: clearing condemned"
    now: uint256 = clock.interval()
    assert now > convert(place.interval, uint256), "net: interval not over"
    assert now <= (state >> UNTIL) & packing.MASK_40, "net: too late"
    self._check_meters(place, header.energy, span)
    assert len(deltas) == (len(rows) + 1) // 2, "net: not one delta per account"
    assert len(ratings) == len(deltas), "net: not one rating per account"
    assert chunks.digest(11, len(ratings)) == header.reputation, "net: other ratings"
    gained: uint256 = 0
    lost: uint256 = 0
    at: uint256 = 0
    word: uint256 = 0
    for row: uint256 in rows:
        if at & 1 == 0:
            word = deltas[at >> 1]
        half: uint256 = word >> 128
        word = word << 128
        at = unsafe_add(at, 1)
        amount: uint256 = (half >> netting.AMOUNT) & LOCKS
        held: uint256 = (half >> netting.HELD_AT) & LOCKS
        if half & netting.NEGATIVE == 0:
            gained = unsafe_add(gained, amount)
            amount = 0
        lost = unsafe_add(lost, amount)
        assert unsafe_add(amount, held) <= row & LOCKS, "net: above the lock"
    assert word == 0 or at & 1 == 0, "net: a delta too many"
    assert gained == lost, "net: deltas do not sum to zero"
    signed: bool = staticcall council.__interface__(COUNCIL).check(
        digest, place.region, epoch, place.interval, msg.sender, members, signatures
    )
    assert signed, "net: no quorum"
    self.contents[key] = digest
    self.states[key] = (
        convert(msg.sender, uint256) << POSTER
        | now << AT
        | (now + TERMS.window) << UNTIL
        | POSTED
    )
    log Posted(key=key, content=digest, poster=msg.sender)


@external
def finalise(
    place: netting.Place,
    content: netting.Content,
    rows: DynArray[uint256, chunks.LONGEST],
    deltas: DynArray[uint256, chunks.PAIRS],
):
    """
    @notice Apply a part once its window is over: anybody. What is held in disputes stays reserved
            for the part that follows under this number plus `netting.HELD`: see `carry`.
    """
    key: bytes32 = netting.key(place)
    state: uint256 = self.states[key]
    assert state & packing.MASK_8 == POSTED, "net: not posted"
    assert clock.interval() > (state >> UNTIL) & packing.MASK_40, "net: window not over"
    assert (state >> DEMANDS) & packing.MASK_8 == 0, "net: open demand"
    assert self.contents[key] == netting.signed(
        DOMAIN, place, netting.POST, content
    ), "net: another content"
    assert chunks.digest(11, len(rows)) == content.list, "net: another list"
    assert chunks.digest(12, len(deltas)) == content.deltas, "net: other deltas"
    self.states[key] = state ^ (POSTED | FINAL)
    held: uint256 = extcall vault.__interface__(VAULT).apply(rows, deltas)
    log Finalised(key=key, held=held)


@external
def carry(
    place: netting.Place,
    content: netting.Content,
    rows: DynArray[uint256, chunks.LONGEST],
    deltas: DynArray[uint256, chunks.PAIRS],
):
    """
    @notice Make what a final part held the list of the part that settles it: anybody, once. Every
            account keeps its row, for a seller is owed out of what its buyers have held.
    """
    assert place.part < netting.HELD, "net: held twice"
    key: bytes32 = netting.key(place)
    assert self.states[key] & packing.MASK_8 == FINAL, "net: not final"
    assert self.contents[key] == netting.signed(
        DOMAIN, place, netting.POST, content
    ), "net: another content"
    assert chunks.digest(11, len(rows)) == content.list, "net: another list"
    assert chunks.digest(12, len(deltas)) == content.deltas, "net: other deltas"
    next: netting.Place = place
    next.part = place.part + netting.HELD
    key = netting.key(next)
    assert self.states[key] == UNUSED, "net: next part taken"
    left: DynArray[uint256, chunks.LONGEST] = []
    any: uint256 = 0
    at: uint256 = 0
    for row: uint256 in rows:
        half: uint256 = deltas[at >> 1] >> (128 * (1 - (at & 1)))
        held: uint256 = (half >> netting.HELD_AT) & LOCKS
        any |= held
        left.append((row >> 96) << 96 | held << 48 | held)
        at += 1
    assert any > 0, "net: nothing held"
    list: bytes32 = chunks.masked(left, max_value(uint256))
    self.books[key] = netting.book(list, content.clearing, 0)
    self.states[key] = (clock.interval() + TERMS.posting) << UNTIL | COMMITTED
    log Committed(key=key, list=list, clearing=content.clearing, span=0)


@external
def by_fills(interval: uint64):
    """
    @notice Sellers are being rated by single fills of an interval: so none is by its parts.
            Refused once a part was committed. Only the reputation.
    """
    assert msg.sender == REPUTATION, "net: not the reputation"
    assert self._is_rated(interval, BY_FILLS), "net: rated by its parts"


@external
def end(key: bytes32):
    """
    @notice A part that came to nothing gives its reservations back. Only the fallback, which knows
            what it paid of them.
    """
    assert msg.sender == FALLBACK, "net: not the fallback"
    self.states[key] = (self.states[key] >> DEMANDS) << DEMANDS | RELEASED
    log Released(key=key)


@external
def condemn(key: bytes32, timely: bool) -> address:
    """
    @notice Cancel a posted part that was proven wrong, or that nobody explained. One flag: nothing
            has moved. Only the contracts that judge proofs.
    @param timely Whether the window must be open: for every proof, not for an unanswered demand.
    @return Who posted it.
    """
    assert msg.sender in [FRAUD, EVIDENCE], "net: not a judge"
    state: uint256 = self.states[key]
    assert state & packing.MASK_8 == POSTED, "net: not posted"
    if timely:
        assert clock.interval() <= (state >> UNTIL) & packing.MASK_40, "net: window over"
    self.states[key] = (
        (state >> AT) << AT | (clock.interval() + TERMS.per_fill) << UNTIL | CANCELLED
    )
    log Cancelled(key=key)
    return convert(convert(state >> POSTER, uint160), address)


@external
def hold(key: bytes32):
    """
    @notice Suspend finalising for one more open demand. Only within the window from posting.
    """
    assert msg.sender == EVIDENCE, "net: not the evidence"
    state: uint256 = self.states[key]
    assert state & packing.MASK_8 == POSTED, "net: not posted"
    now: uint256 = clock.interval()
    assert now <= ((state >> AT) & packing.MASK_40) + TERMS.window, "net: window over"
    assert (state >> DEMANDS) & packing.MASK_8 < packing.MASK_8, "net: too many demands"
    self.states[key] = state + (1 << DEMANDS)


@external
def resume(key: bytes32):
    """
    @notice A demand was answered: leave time to prove something from the answer.
    """
    assert msg.sender == EVIDENCE, "net: not the evidence"
    state: uint256 = self.states[key]
    assert state & packing.MASK_8 == POSTED, "net: not posted"
    until: uint256 = (state >> UNTIL) & packing.MASK_40
    later: uint256 = max(until, clock.interval() + TERMS.proving)
    self.states[key] = state - (1 << DEMANDS) + ((later - until) << UNTIL)


@external
@view
def part(key: bytes32) -> (uint256, address, uint256, uint256, uint256):
    """
    @return state (0 none, 1 reserved, 2 committed, 3 posted, 4 final, 5 cancelled, 6 released), poster,
            interval posted, interval until which the next step may happen, open demands.
    """
    state: uint256 = self.states[key]
    return (
        state & packing.MASK_8,
        convert(convert(state >> POSTER, uint160), address),
        (state >> AT) & packing.MASK_40,
        (state >> UNTIL) & packing.MASK_40,
        (state >> DEMANDS) & packing.MASK_8,
    )


@external
@view
def failed(key: bytes32) -> (bytes32, uint256, uint256):
    """
    @notice Of a part that will not be finalised.
    @return its book; the intervals until which its fills cannot be paid one by one yet, and until
            which they can: nothing can be before the first, all is given back after the second.
    """
    state: uint256 = self.states[key]
    step: uint256 = state & packing.MASK_8
    until: uint256 = (state >> UNTIL) & packing.MASK_40
    if step == RESERVED:
        return self.books[key], until, until
    if step == COMMITTED:
        return self.books[key], until, until + TERMS.per_fill
    assert step == CANCELLED, "net: not failed"
    return self.books[key], 0, until


@external
@view
def terms() -> netting.Terms:
    """
    @notice The windows, in intervals.
    """
    return TERMS


@internal
def _is_rated(interval: uint64, way: uint256) -> bool:
    # whichever way an interval is rated first is the only one
    at: uint256 = convert(interval, uint256)
    place: uint256 = 2 * (at % 128)
    word: uint256 = self.ways[at // 128]
    known: uint256 = (word >> place) & 3
    if known == 0:
        self.ways[at // 128] = word | way << place
    return known == 0 or known == way


@internal
@view
def _check(
    place: netting.Place,
    phase: uint256,
    epoch: uint64,
    clearing_: bytes32,
    span: uint256,
    list: bytes32,
    members: DynArray[address, quorum.MAX_COUNCIL],
    signatures: DynArray[signing.Signature, quorum.MAX_COUNCIL],
):
    content: netting.Content = empty(netting.Content)
    content.epoch = epoch
    content.clearing = clearing_
    content.list = list
    content.header.energy = span
    signed: bool = staticcall council.__interface__(COUNCIL).check(
        netting.signed(DOMAIN, place, phase, content),
        place.region,
        epoch,
        place.interval,
        empty(address),
        members,
        signatures,
    )
    assert signed, "net: no quorum"


@internal
@view
def _check_meters(place: netting.Place, energy: uint256, span: uint256):
    # later parts of a clearing begin where the part before them ends: see `evidence.running`
    metered: clearing.Balance = staticcall clearing.__interface__(CLEARING).metered(
        place.region, place.interval
    )
    assert energy >> 128 == metered.loss << 64 | metered.weighed, "net: other meters"
    if span >> 32 == 0 and place.part < netting.HELD:
        assert (energy >> 64) & packing.MASK_64 == metered.before, "net: other energy before"


@internal
@view
def _check_clearing(place: netting.Place, clearing_: bytes32):
    peer: clearing.__interface__ = clearing.__interface__(CLEARING)
    posted: bytes32 = staticcall peer.posted(place.region, place.interval)
    assert posted != empty(bytes32) and posted == clearing_, "net: not the posted clearing"
    tariffs: clearing.Tariffs = staticcall peer.trading(place.region, place.interval)
