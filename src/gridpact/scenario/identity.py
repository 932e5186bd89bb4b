"""Who has a certificate of the operator, and who loses it in the course of the day."""

from collections.abc import Sequence

from gridpact.scenario.scenario import IdentitySettings, LostCertificate
from gridpact.scenario.table import Table


def read_identity(table: Table, names: Sequence[str], intervals: int) -> IdentitySettings:
    """Return the settings; everybody has a certificate and keeps it unless said otherwise."""
    certificates = table.flag("certificates", True)
    period = table.whole("period", high=2**31) if table.has("period") else None
    if period is not None and not certificates:
        raise table.error("period", "pseudonyms need certificates, which are switched off")
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
    return IdentitySettings(certificates, tuple(lost.values()), period)
