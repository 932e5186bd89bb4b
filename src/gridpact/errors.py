"""One tree of expected failures. Each error carries what it is about as attributes.

GridpactError
├── BadInput              what a person gave cannot be used: exit code 2
│   ├── ScenarioError     a key or row of a scenario or one of its files
│   └── FieldError        a field of a calculation's input
├── MissingExtra          an optional package that is not installed
├── GridError
│   ├── FeederError       a feeder that is no radial, connected, positive net
│   ├── PowerFlowDiverged no voltage solves the power flow
│   └── Infeasible        limits that cannot hold together
├── MarketError
│   └── InvalidClearing   a mechanism sold what was not offered
├── SettlementError       amounts that do not add up
├── IdentityError         somebody is not, or cannot be, who may speak
│   ├── CertificateRefused    a certificate does not count
│   │   ├── UnreadableCertificate  no certificate or list of our profile
│   │   ├── ForgedCertificate      not signed by the authority
│   │   ├── CertificateExpired     outside its time
│   │   ├── CertificateRevoked     taken back
│   │   ├── CertificateReplaced    the registry on the ledger holds another, or none
│   │   ├── StaleRevocations       the revocation list is out of date
│   │   └── RolledBack             a revocation list older than the one in use
│   ├── EnrolmentRefused      an application that cannot be approved or issued for
│   └── KeyRefused            a stored key that does not open
├── ProtocolError         a message of a purchase that is not taken; it changed nothing
│   ├── MalformedMessage  no message, or not in the one form
│   ├── ForgedSignature   not signed by whom it names
│   ├── OutOfTime         sent too long ago, or in the future
│   ├── Replayed          taken before
│   ├── TooMany           more messages than one may send in a while
│   ├── NotForMe          addressed to somebody else
│   ├── Misplaced         a step that does not follow from what went before
│   ├── Misstated         a value that is not what the ledger or the desk knows
│   ├── Unfunded          the money is not there, or is promised already
│   ├── Overexposed       more would stand open than credibility and deposit allow
│   └── Blacklisted       from or about somebody on the blacklist
├── PropagationError
│   └── TreeError         nodes, costs or settings that no tree can be made of
│       ├── TooFewLinks   more nodes than the links of those before them can serve
│       └── Unreachable   a node that nobody may send to within the largest cost
└── LedgerError
    ├── OtherScenario     the ledger was founded by another scenario
    ├── WriteConflict     another content under a key that is taken
    ├── Reverted          a contract refused a transaction
    ├── InvalidTransaction  the chain does not take a transaction: it stands in no block
    ├── NoQuorum          too few of a council signed what was to be settled
    ├── Disagreement      the chain computed other numbers than the Python rule
    ├── Unavailable       a chain or its disk does not take writes now: ask again
    ├── LedgerLocked      another process writes to this ledger
    ├── Corrupt           a stored field does not fit the rest
    └── HeadMismatch      the chain is sound but not the one expected

Refused orders are data (`model.order.Refusal`), not errors: the market goes on.
"""

import datetime

_YEAR_10000 = 253_402_300_800
"""Where calendars of four digits end. [seconds since 1970, UTC]"""


class GridpactError(Exception):
    """Any failure that gridpact expects and explains in one sentence."""


class BadInput(GridpactError):
    """Input of a person that cannot be used, with the place and what was expected."""


class ScenarioError(BadInput):
    """A scenario, or a file it names, holds something unusable."""

    def __init__(self, file: object, place: str, problem: str) -> None:
        self.file, self.place, self.problem = str(file), place, problem
        super().__init__(f"{file}: {place}: {problem}" if place else f"{file}: {problem}")


class FieldError(BadInput):
    """A field of a calculation's input is missing, not known, or of another form."""

    def __init__(self, place: str, problem: str) -> None:
        self.place, self.problem = place, problem
        super().__init__(f"{place}: {problem}")


class MissingExtra(GridpactError):
    """Something asked for needs a package that is not installed."""

    def __init__(self, what: str, package: str, extra: str) -> None:
        self.what, self.package, self.extra = what, package, extra
        super().__init__(
            f"{what} needs the package {package}, which is not installed:"
            f" pip install 'gridpact[{extra}]'"
        )


class GridError(GridpactError):
    """The wires cannot do what was asked."""


class FeederError(GridError, BadInput):
    """A feeder that is no radial, connected net with positive impedances."""

    def __init__(self, place: str, problem: str) -> None:
        self.place, self.problem = place, problem
        super().__init__(f"{place}: {problem}")


class PowerFlowDiverged(GridError):
    """No voltage solves the power flow, or the sweep did not reach it."""

    def __init__(self, interval: int, bus: int, mismatch: float) -> None:
        self.interval, self.bus, self.mismatch = interval, bus, mismatch
        super().__init__(
            f"power flow of interval {interval} does not converge: "
            f"mismatch {mismatch:.3g} pu at bus {bus}"
        )


class Infeasible(GridError):
    """Limits that cannot hold together; `conflicts` names them."""

    def __init__(self, conflicts: tuple[str, ...]) -> None:
        self.conflicts = conflicts
        super().__init__("no operating point within limits: " + "; ".join(conflicts))


class MarketError(GridpactError):
    """A market rule was broken."""


class InvalidClearing(MarketError):
    """A clearing sells what was not offered or buys what was not bid."""


class SettlementError(GridpactError):
    """Amounts or energies of a settlement do not add up."""


class IdentityError(GridpactError):
    """Somebody is not, or cannot be made, one who may speak."""


class CertificateRefused(IdentityError):
    """A certificate does not count."""


class UnreadableCertificate(CertificateRefused):
    """No certificate or revocation list of our profile."""


class ForgedCertificate(CertificateRefused):
    """A certificate that the authority did not sign."""

    def __init__(self, serial: int, authority: str) -> None:
        self.serial, self.authority = serial, authority
        super().__init__(f"certificate {serial:x}: not signed by {authority}")


class CertificateExpired(CertificateRefused):
    """A certificate outside its time. [seconds since 1970, UTC]"""

    def __init__(self, serial: int, not_before: int, not_after: int, at: int) -> None:
        self.serial, self.not_before, self.not_after, self.at = serial, not_before, not_after, at
        what = "expired" if at > not_after else "not valid yet"
        super().__init__(
            f"certificate {serial:x}: {what}, it counts from {_utc(not_before)} to "
            f"{_utc(not_after)}, not at {_utc(at)}"
        )


class CertificateRevoked(CertificateRefused):
    """A certificate that was taken back."""

    def __init__(self, serial: int, since: int, reason: str) -> None:
        self.serial, self.since, self.reason = serial, since, reason
        super().__init__(f"certificate {serial:x}: revoked at {_utc(since)}, {reason}")


class CertificateReplaced(CertificateRefused):
    """A genuine certificate that is not the one the registry on the ledger holds."""

    def __init__(self, serial: int, fingerprint: bytes, registered: bytes) -> None:
        self.serial, self.fingerprint, self.registered = serial, fingerprint, registered
        there = f"holds {registered.hex()[:16]}…" if any(registered) else "knows no certificate"
        super().__init__(
            f"certificate {serial:x}: the registry {there} of this address, "
            f"expected {fingerprint.hex()[:16]}…"
        )


class StaleRevocations(CertificateRefused):
    """A revocation list that says nothing about now: nobody is let in by it."""

    def __init__(self, number: int, this_update: int, next_update: int, at: int) -> None:
        self.number, self.at = number, at
        self.this_update, self.next_update = this_update, next_update
        super().__init__(
            f"revocation list {number}: holds from {_utc(this_update)} to {_utc(next_update)}, "
            f"not at {_utc(at)}; expected a fresh one"
        )


class RolledBack(CertificateRefused):
    """A revocation list older than the one in use."""

    def __init__(self, number: int, known: int) -> None:
        self.number, self.known = number, known
        super().__init__(f"revocation list {number}: older than list {known}, which is in use")


class EnrolmentRefused(IdentityError):
    """An application that cannot be approved, or a participant that nothing is issued for."""


class KeyRefused(IdentityError, BadInput):
    """A stored key that does not open: wrong password, or no key of the form expected."""


class ProtocolError(GridpactError):
    """A message of a purchase that is not taken; it changed nothing."""


class MalformedMessage(ProtocolError):
    """Bytes that are no message, or a message in another form than the one."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(f"message: {problem}")


class ForgedSignature(ProtocolError):
    """A signature that is not of whom it should be."""

    def __init__(self, expected: bytes, signer: bytes | None, what: str = "message") -> None:
        self.expected, self.signer, self.what = expected, signer, what
        by = f"0x{signer.hex()}" if signer else "nobody"
        super().__init__(f"{what}: signed by {by}, expected 0x{expected.hex()}")


class OutOfTime(ProtocolError):
    """A message whose time is too far from now. [s]"""

    def __init__(self, sent_at: int, now: int, window: int) -> None:
        self.sent_at, self.now, self.window = sent_at, now, window
        super().__init__(
            f"message: sent at {_utc(sent_at)}, expected within {window} s of {_utc(now)}"
        )


class Replayed(ProtocolError):
    """A nonce that its sender used before."""

    def __init__(self, sender: bytes, nonce: int) -> None:
        self.sender, self.nonce = sender, nonce
        super().__init__(f"message: nonce {nonce} of 0x{sender.hex()} was used before")


class TooMany(ProtocolError):
    """More messages than one sender may send within the window."""

    def __init__(self, sender: bytes, most: int, window: int) -> None:
        self.sender, self.most, self.window = sender, most, window
        super().__init__(
            f"message: 0x{sender.hex()} sent more than {most} messages within {window} s"
        )


class NotForMe(ProtocolError):
    """A message that is addressed to somebody else."""

    def __init__(self, receiver: bytes, own: bytes) -> None:
        self.receiver, self.own = receiver, own
        super().__init__(f"message: for 0x{receiver.hex()}, not for 0x{own.hex()}")


class Misplaced(ProtocolError):
    """A step that does not follow from what went before."""


class Misstated(ProtocolError):
    """A value that is not what the ledger or the desk knows."""

    def __init__(self, what: str, said: object, known: object) -> None:
        self.what, self.said, self.known = what, said, known
        super().__init__(f"{what}: {_shown(said)}, expected {_shown(known)}")


class Unfunded(ProtocolError):
    """Money that is not there, or that is promised to another purchase already."""

    def __init__(self, needed: int, there: int, promised: int) -> None:
        self.needed, self.there, self.promised = needed, there, promised
        super().__init__(
            f"purchase: needs {needed} micro-units, the buyer has {there}"
            f" of which {promised} are promised to other requests"
        )


class Overexposed(ProtocolError):
    """More would stand open than credibility and deposit allow. [Wh, micro-units]"""

    def __init__(self, open_wh: int, allowed_wh: int, needed: int, deposit: int) -> None:
        self.open_wh, self.allowed_wh = open_wh, allowed_wh
        self.needed, self.deposit = needed, deposit
        super().__init__(
            f"sale: {open_wh} Wh would stand open, credibility allows {allowed_wh} Wh: "
            f"the rest needs a deposit of {needed} micro-units, there are {deposit}"
        )


class Blacklisted(ProtocolError):
    """A message from or about somebody on the blacklist."""

    def __init__(self, participant: bytes) -> None:
        self.participant = participant
        super().__init__(f"participant 0x{participant.hex()}: on the blacklist")


class PropagationError(GridpactError):
    """Data cannot be passed on as was asked."""


class TreeError(PropagationError, BadInput):
    """Nodes, costs or settings that no tree can be made of."""

    def __init__(self, place: str, problem: str) -> None:
        self.place, self.problem = place, problem
        super().__init__(f"{place}: {problem}")


class TooFewLinks(TreeError):
    """The nodes that stand in the tree cannot serve those that are left."""

    def __init__(self, placed: int, nodes: int) -> None:
        self.placed, self.nodes = placed, nodes
        super().__init__(
            "links", f"linking numbers too small: {placed} of {nodes} nodes can be served"
        )


class Unreachable(TreeError):
    """Nobody with a free link may send to a node."""

    def __init__(self, node: int, max_cost: float) -> None:
        self.node, self.max_cost = node, max_cost
        super().__init__("max_cost", f"node {node} is not reached by edges of at most {max_cost:g}")


class LedgerError(GridpactError):
    """The ledger cannot do what was asked; nothing was half-written."""


class OtherScenario(LedgerError, BadInput):
    """The ledger was founded by another scenario, or by an earlier text of this one."""


class WriteConflict(LedgerError):
    """Another content under a key that is already taken."""

    def __init__(self, key: object, first: bytes, second: bytes) -> None:
        self.key, self.first, self.second = key, first, second
        super().__init__(f"{key} holds {first.hex()[:16]}…, not {second.hex()[:16]}…")


class Reverted(LedgerError):
    """A contract refused a transaction; `reason` reads "contract: reason"."""

    def __init__(self, reason: str, call: str = "") -> None:
        self.reason, self.call = reason, call
        super().__init__(f"{call} reverted: {reason}" if call else f"reverted: {reason}")


class NoQuorum(LedgerError):
    """Too few of a council's members signed; `refusals` says why each of the others did not."""

    def __init__(self, key: object, signed: int, needed: int, refusals: tuple[str, ...]) -> None:
        self.key, self.signed, self.needed, self.refusals = key, signed, needed, refusals
        super().__init__(
            f"{key}: {signed} aggregators signed, {needed} are needed; " + "; ".join(refusals)
        )


class InvalidTransaction(LedgerError):
    """The chain does not take a transaction and no block holds it; `reason` says why."""

    def __init__(self, reason: str, transaction: bytes = b"") -> None:
        self.reason, self.transaction = reason, transaction
        name = f"transaction 0x{transaction.hex()[:16]}…" if transaction else "transaction"
        super().__init__(f"{name} is not taken: {reason}")


class Disagreement(LedgerError):
    """The contract computed other numbers than the Python rule."""

    def __init__(self, what: str, chain: object, rule: object) -> None:
        self.what, self.chain, self.rule = what, chain, rule
        super().__init__(f"{what}: the chain says {chain}, the rule says {rule}")


class Unavailable(LedgerError):
    """A chain or its disk does not take a write now; nothing was written, asking again may help."""


class LedgerLocked(LedgerError):
    """Another process writes to this ledger."""


class Corrupt(LedgerError):
    """A stored field does not fit the rest; `place` names it."""

    def __init__(self, place: str, problem: str) -> None:
        self.place, self.problem = place, problem
        super().__init__(f"{place}: {problem}")


class HeadMismatch(LedgerError):
    """The chain is sound in itself but its head is not the one expected."""


def _utc(seconds: int) -> str:
    """Return a time in words that people and tools read alike; the number if no calendar has it."""
    if not 0 <= seconds < _YEAR_10000:
        return f"second {seconds}"
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _shown(value: object) -> str:
    """Return a value as a sentence shows it."""
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
