"""Who has a certificate of the operator, and who loses it in the course of the day."""

from collections.abc import Sequence

from gridpact.model.rating import CredibilityTerms, RatingTerms
from gridpact.scenario.scenario import IdentitySettings, LostCertificate, Sanctions
from gridpact.scenario.table import Table

HIDDEN_AMONG = 3
"""Among how many each hides unless given."""


def read_identity(
    table: Table,
    names: Sequence[str],
    intervals: int,
    rating: RatingTerms,
    sanctions: Sanctions,
) -> IdentitySettings:
    """Return the settings; everybody has a certificate and keeps it unless said otherwise."""
    certificates = table.flag("certificates", True)
    period, rotation, among = _pseudonyms(table, certificates)
    if rotation is not None:
        _require_carried(table, rating, sanctions)
    rows = [(row, True) for row in table.tables("revoked")]
    rows += [(row, False) for row in table.tables("expired")]
    lost: dict[str, LostCertificate] = {}
    for row, revoked in rows:
        name = row.text("participant")
        if name not in names:
            raise row.error("participant", f"there is no participant or plant {name!r}")
        if name in lost:
            raise row.error("participant", f"{name!r} loses its certificate twice")
        if not certificates:
            raise row.error("participant", "nobody has a certificate: certificates = false")
        lost[name] = LostCertificate(
            name, row.whole("interval", low=0, high=intervals - 1), revoked
        )
        row.finish()
    table.finish()
    return IdentitySettings(certificates, tuple(lost.values()), period, rotation, among)


def turns_in_a_day(identity: IdentitySettings, minutes: int) -> int:
    """Return how often in a day households enter anew, at most."""
    if identity.rotation is None:
        return 0
    return -(-(24 * 60 // minutes) // identity.rotation)


def _pseudonyms(table: Table, certificates: bool) -> tuple[int | None, int | None, int]:
    """Return the first period, how many intervals each lasts, and among how many each hides."""
    rotation = table.whole("rotation_intervals", low=1) if table.has("rotation_intervals") else None
    first = None if rotation is None else 0
    period = table.whole("period", high=2**31) if table.has("period") else first
    if period is None:
        if table.has("hidden_among"):
            raise table.error("hidden_among", "nobody hides: expected period or rotation_intervals")
        return None, None, 1
    if not certificates:
        key = "period" if rotation is None else "rotation_intervals"
        raise table.error(key, "pseudonyms need certificates, which are switched off")
    return period, rotation, table.whole("hidden_among", HIDDEN_AMONG, low=1, high=1_000)


def _require_carried(table: Table, rating: RatingTerms, sanctions: Sanctions) -> None:
    """See that nothing is asked for which would not follow a household to its next address."""
    if isinstance(rating, CredibilityTerms):
        problem = "credibility does not follow a new name: choose another reputation scheme"
        raise table.error("rotation_intervals", problem)
    if sanctions.deposit:
        problem = "deposits do not follow a new name: deposit_share has to be 0"
        raise table.error("rotation_intervals", problem)
