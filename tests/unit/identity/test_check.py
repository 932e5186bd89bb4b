"""A certificate counts when it is genuine, in time, and not revoked by a fresh list."""

import pytest
from tests.unit.identity.authorities import (
    BEGINS,
    HOUR,
    authority,
    certified,
    checker,
    claims,
    listed,
)

from gridpact.errors import (
    CertificateExpired,
    CertificateRevoked,
    ForgedCertificate,
    RolledBack,
    StaleRevocations,
    UnreadableCertificate,
)
from gridpact.identity.check import Checker
from gridpact.identity.revocation import (
    Reason,
    Revoked,
    read_revocations,
    read_revocations_pem,
)


def test_genuine_certificate_counts() -> None:
    ann = certified("ann", 5)
    assert checker().check(ann.der, BEGINS) == ann


def test_certificate_of_another_authority_is_forged() -> None:
    mallory = authority("operator of nowhere").issue(claims("ann"), 5)
    with pytest.raises(ForgedCertificate, match="not signed by operator of north"):
        checker().check(mallory.der, BEGINS)


def test_certificate_with_any_one_bit_changed_is_refused() -> None:
    good, check = certified("ann", 5).der, checker()
    for bit in range(8 * len(good)):
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        with pytest.raises((ForgedCertificate, UnreadableCertificate)):
            check.check(bytes(bad), BEGINS)


def test_certificate_counts_within_its_time_only() -> None:
    ann = certified("ann", 5, days=1)
    late = BEGINS + 86_400
    always = Checker(authority().root, listed(1, at=BEGINS - HOUR, hours=100))
    assert always.check(ann.der, late - 1) == ann
    with pytest.raises(CertificateExpired, match="expired"):
        always.check(ann.der, late)
    with pytest.raises(CertificateExpired, match="not valid yet"):
        always.check(ann.der, BEGINS - 1)


def test_revoked_certificate_is_refused_from_its_time_on() -> None:
    ann, bob = certified("ann", 5), certified("bob", 6)
    check = checker(Revoked(5, BEGINS + 60, Reason.KEY_COMPROMISE))
    assert check.check(ann.der, BEGINS + 59) == ann
    with pytest.raises(CertificateRevoked, match="keyCompromise"):
        check.check(ann.der, BEGINS + 60)
    assert check.check(bob.der, BEGINS + 60) == bob


def test_revocation_counts_at_once_for_a_certificate_that_is_remembered() -> None:
    ann, check = certified("ann", 5), checker()
    check.check(ann.der, BEGINS)
    check.update(listed(2, Revoked(5, BEGINS + 1, Reason.LEFT)))
    with pytest.raises(CertificateRevoked):
        check.check(ann.der, BEGINS + 1)


def test_stale_list_lets_nobody_in() -> None:
    ann, check = certified("ann", 5), checker()
    with pytest.raises(StaleRevocations, match="revocation list 1"):
        check.check(ann.der, BEGINS + HOUR + 1)
    with pytest.raises(StaleRevocations):
        Checker(authority().root, listed(1, at=BEGINS + 60)).check(ann.der, BEGINS)


def test_older_list_is_not_taken() -> None:
    check = Checker(authority().root, listed(7))
    with pytest.raises(RolledBack, match="older than list 7"):
        check.update(listed(6))
    check.update(listed(7))


def test_list_is_read_back_with_its_reasons() -> None:
    rows = tuple(Revoked(n, BEGINS + n, reason) for n, reason in enumerate(Reason, 1))
    made = listed(3, *reversed(rows))
    assert made.rows == rows
    root = authority().root
    assert read_revocations(made.der, root) == made == read_revocations_pem(made.pem, root)


def test_list_of_another_authority_is_refused() -> None:
    made = listed(3)
    with pytest.raises(UnreadableCertificate, match="not signed by operator of nowhere"):
        read_revocations(made.der, authority("operator of nowhere").root)


@pytest.mark.parametrize("text", ["", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----"])
def test_list_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UnreadableCertificate, match="no revocation list"):
        read_revocations_pem(text, authority().root)


def test_forged_certificates_push_no_genuine_one_out_of_memory() -> None:
    check = Checker(authority().root, listed(1), remembered=2)
    for name, serial in (("ann", 5), ("bob", 6), ("cid", 7)):
        assert check.check(certified(name, serial).der, BEGINS).serial == serial
    bad = authority("operator of nowhere")
    for serial in range(10, 13):
        with pytest.raises(ForgedCertificate):
            check.check(bad.issue(claims("eve"), serial).der, BEGINS)
    assert {one.serial for one in check._genuine.values()} == {6, 7}


def test_list_with_any_one_bit_changed_is_refused() -> None:
    good, root = listed(3, Revoked(5, BEGINS, Reason.LEFT)).der, authority().root
    for bit in range(8 * len(good)):
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        with pytest.raises(UnreadableCertificate):
            read_revocations(bytes(bad), root)
