"""May this message be heard? Form, receiver, signature, certificate, time, nonce, rate: in order.

Each refusal is one named error and changes nothing of the trade. Only what is truly signed counts
against a sender's rate, so nobody is silenced in somebody else's name.
"""

from collections.abc import Callable

from gridpact.crypto.eip712 import Domain
from gridpact.errors import CertificateReplaced, Misstated, NotForMe, OutOfTime
from gridpact.identity.check import Checker
from gridpact.identity.freshness import Freshness, FreshnessTerms
from gridpact.identity.messages import EVERYBODY, Message, decode, require_signed

Registered = Callable[[bytes], bytes]
"""The fingerprint that the registry on the ledger holds of an address; zeros or nothing of none."""


class Inbox:
    """What one party hears: `own` its address, `region` where it trades, `operator` whom it trusts.

    Only the certificate whose fingerprint is `registered` counts: one that was replaced on the
    ledger speaks no more, however long it would last. The operator needs none: it is known by the
    registry.
    """

    def __init__(
        self,
        own: bytes,
        region: bytes,
        operator: bytes,
        domain: Domain,
        checker: Checker,
        registered: Registered,
        terms: FreshnessTerms | None = None,
    ) -> None:
        self._own, self._region, self._operator = own, region, operator
        self._domain, self._checker, self._registered = domain, checker, registered
        self._freshness = Freshness(terms or FreshnessTerms())

    def opened(self, wire: bytes, now: int) -> Message:
        """Return a message that may be heard.

        Raises
        ------
        ProtocolError
            Malformed, for somebody else, forged, out of time, replayed, or one too many.
        CertificateRefused
            The sender's certificate does not count (see `check`), or the registry holds another.
        """
        message = decode(wire)
        if message.receiver not in (self._own, EVERYBODY):
            raise NotForMe(message.receiver, self._own)
        require_signed(message, self._domain)
        self._freshness.count(message.sender, now)
        self._require_vouched(message, now)
        self._freshness.take(message.sender, message.nonce, message.sent_at, now)
        return message

    def enclosed(self, wire: bytes, now: int) -> Message:
        """Return a message between others that was handed on as evidence: it may be an old one.

        Raises
        ------
        ProtocolError, CertificateRefused
            Malformed, forged, from the future, or by somebody whose certificate does not count now.
        """
        message = decode(wire)
        require_signed(message, self._domain)
        if message.sent_at > now:
            raise OutOfTime(message.sent_at, now, 0)
        self._require_vouched(message, now)
        return message

    def _require_vouched(self, message: Message, now: int) -> None:
        """See that the certificate is genuine, in force, its sender's, of the region, on record.

        The registry is asked last: by then the certificate's own claims are believed.
        """
        if message.sender == self._operator:
            return
        certificate = self._checker.check(message.certificate, now)
        if certificate.address != message.sender:
            raise Misstated("sender's certificate", certificate.address, message.sender)
        if certificate.claims.region != self._region:
            raise Misstated("region of the certificate", certificate.claims.region, self._region)
        known = self._registered(message.sender)
        if known != certificate.fingerprint:
            raise CertificateReplaced(certificate.serial, certificate.fingerprint, known)
