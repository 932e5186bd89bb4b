"""`gridpact identity`: the operator's authority, its register, and devices' keys.

Who asks, who is reviewed and who gets a certificate is decided in `identity.enrolment`; here are
files, the clock and randomness.
"""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gridpact.identity.certificate import Certificate
    from gridpact.model.participant import Role

identity_app = typer.Typer(
    help="Who may take part: certificates, reviews, revocations, keys. Times in UTC.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

OfficeFolder = Annotated[Path, typer.Argument(help="The operator's folder (`init` makes it).")]
Participant = Annotated[int, typer.Argument(help="Number of the participant (`list` shows it).")]
At = Annotated[str, typer.Option("--at", help="Time, ISO 8601, UTC; now unless given.")]
Who = Annotated[str, typer.Option("--who", help="Who is at work, for the access log.")]
Password = Annotated[
    Path | None, typer.Option("--password-file", help="File with the password; asked unless given.")
]
Out = Annotated[Path, typer.Option("--out", help="File to write, PEM.")]
Asked = Annotated[Path, typer.Option("--request", help="The device's request (`key` makes it).")]
Days = Annotated[int, typer.Option(help="Days that the certificate counts.", min=1, max=3650)]


@identity_app.command("init", short_help="Make an authority: root, key, register.")
def init(
    office: OfficeFolder,
    name: Annotated[str, typer.Option(help="Name of the authority.")],
    years: Annotated[int, typer.Option(help="Years that the root counts.", min=1, max=30)] = 10,
    password_file: Password = None,
    at: At = "",
) -> None:
    """Make an operator's folder: a self-signed root, its encrypted key, an empty register."""
    from gridpact.commands.office import make_office, password_of, seconds, shown

    root = make_office(office, name, password_of(password_file), seconds(at), years)
    print(
        f"authority {root.name}: counts until {shown(root.not_after)}; root {office / 'root.pem'}"
    )


@identity_app.command("key", short_help="Make a device's key and its request for a certificate.")
def key(
    out: Annotated[Path, typer.Option("--out", help="Key file (keystore version 3).")],
    region: Annotated[str, typer.Option(help="Region, by name.")],
    role: Annotated[
        list[str], typer.Option(help="consumer, producer, plant, aggregator; several.")
    ],
    request: Annotated[Path, typer.Option("--request", help="Request file to write.")],
    password_file: Password = None,
) -> None:
    """Make a device's key, encrypted, and a request that it signs. The key stays at the device."""
    from gridpact.commands.files import write
    from gridpact.commands.office import keep_secret, password_of
    from gridpact.crypto.keccak import name_hash
    from gridpact.crypto.keys import Key
    from gridpact.identity.keystore import seal_device
    from gridpact.identity.request import make_request

    roles = _roles(role)
    made = Key.derive(secrets.token_bytes(32), "device")
    keep_secret(out, seal_device(made, password_of(password_file), secrets.token_bytes(64)))
    write(request, make_request(made, name_hash(region), roles))
    print(f"device 0x{made.address.hex()}: key {out}, request {request}")


@identity_app.command("apply", short_help="Write down who wants to take part.")
def enter(
    office: OfficeFolder,
    kind: Annotated[str, typer.Option(help="person or company.")],
    country: Annotated[str, typer.Option(help="Two letters.")],
    number: Annotated[str, typer.Option(help="Number of the document, or in the register.")],
    name: Annotated[str, typer.Option(help="Name of the person or company.")],
    meter: Annotated[str, typer.Option(help="Number of the meter.")],
    who: Who = "",
    at: At = "",
) -> None:
    """Write an applicant down; one person or company, and one meter, is one participant."""
    from gridpact.commands.office import clerk, open_office, seconds
    from gridpact.errors import BadInput
    from gridpact.identity.enrolment import apply
    from gridpact.identity.person import Person

    if kind not in ("person", "company"):
        raise BadInput(f"--kind {kind}: expected person or company")
    person = Person("person" if kind == "person" else "company", country, number, name)
    with open_office(office) as opened:
        given = apply(opened.register, person, meter, clerk(who), seconds(at))
    print(f"participant {given}: applied")


@identity_app.command("review", short_help="Keep what a review of the real identity found.")
def review(
    office: OfficeFolder,
    participant: Participant,
    document: Annotated[str, typer.Option(help="What was looked at.")],
    refuse: Annotated[str, typer.Option(help="Reason, where it is refused.")] = "",
    who: Who = "",
    at: At = "",
) -> None:
    """Approve a participant after a look at its document, or refuse it with a reason."""
    from gridpact.commands.office import clerk, open_office, seconds
    from gridpact.identity.enrolment import review as reviewed
    from gridpact.identity.person import Review

    found = Review(clerk(who), seconds(at), document, not refuse, refuse)
    with open_office(office) as opened:
        state = reviewed(opened.register, participant, found)
    print(f"participant {participant}: {state}")


@identity_app.command("issue", short_help="Issue a certificate to a reviewed participant.")
def issue(
    office: OfficeFolder,
    participant: Participant,
    request: Asked,
    out: Out,
    days: Days = 365,
    password_file: Password = None,
    who: Who = "",
    at: At = "",
) -> None:
    """Issue a certificate for the device that asks, from now on."""
    from gridpact.commands.office import issuing
    from gridpact.identity.enrolment import issue as issued

    with issuing(office, request, password_file, who, at) as (register, authority, asked, by):
        made = issued(register, authority, participant, asked, by.at, days, by).certificate
    _hand_over(made, out)


@identity_app.command("renew", short_help="Issue the certificate that follows the last one.")
def renew(
    office: OfficeFolder,
    participant: Participant,
    request: Asked,
    out: Out,
    days: Days = 365,
    password_file: Password = None,
    who: Who = "",
    at: At = "",
) -> None:
    """Issue a certificate that begins when the last one ends, for a new key of the device."""
    from gridpact.commands.office import issuing
    from gridpact.identity.enrolment import renew as renewed

    with issuing(office, request, password_file, who, at) as (register, authority, asked, by):
        made = renewed(register, authority, participant, asked, days, by).certificate
    _hand_over(made, out)


@identity_app.command("revoke", short_help="Take a certificate back.")
def revoke(
    office: OfficeFolder,
    serial: Annotated[str, typer.Argument(help="Serial number in hex (`list` shows it).")],
    reason: Annotated[str, typer.Option(help="As in RFC 5280, such as keyCompromise.")],
    who: Who = "",
    at: At = "",
) -> None:
    """Take a certificate back from now on; the next revocation list names it."""
    from gridpact.commands.office import clerk, open_office, seconds, shown
    from gridpact.errors import BadInput
    from gridpact.identity.enrolment import revoke as revoked
    from gridpact.identity.revocation import Reason

    try:
        number, why = int(serial, 16), Reason(reason)
    except ValueError as error:
        known = ", ".join(one.value for one in Reason)
        raise BadInput(f"{serial}, {reason}: expected a hex number and one of {known}") from error
    now = seconds(at)
    with open_office(office) as opened:
        revoked(opened.register, number, why, clerk(who), now)
    print(f"certificate {number:x}: revoked at {shown(now)}, {why.value}")


@identity_app.command("crl", short_help="Write the next revocation list.")
def crl(
    office: OfficeFolder,
    out: Out,
    hours: Annotated[int, typer.Option(help="Hours that the list holds.", min=1, max=720)] = 1,
    password_file: Password = None,
    at: At = "",
) -> None:
    """Write a signed revocation list; who has none that is fresh lets nobody in."""
    from gridpact.commands.files import write
    from gridpact.commands.office import open_office, password_of, seconds, shown
    from gridpact.identity.enrolment import revocation_list

    with open_office(office) as opened:
        authority = opened.authority(password_of(password_file))
        made = revocation_list(opened.register, authority, seconds(at), hours)
    write(out, made.pem)
    print(f"list {made.number}: {len(made.rows)} revoked, holds until {shown(made.next_update)}")


@identity_app.command("list", short_help="List participants and certificates, without names.")
def show_all(office: OfficeFolder) -> None:
    """List participants by number and their certificates; nothing personal is read."""
    from gridpact.commands.office import open_office, shown

    with open_office(office) as opened:
        everybody = [
            (*one, [*opened.register.certificates(one[0])]) for one in opened.register.people()
        ]
    for number, state, certificates in everybody:
        print(f"participant {number}: {state}")
        for one in certificates:
            ended = f", revoked: {one.revoked.reason.value}" if one.revoked else ""
            claims = one.certificate.claims
            print(
                f"  {one.certificate.serial:x}  0x{claims.address.hex()}  "
                f"{shown(claims.not_before)} to {shown(claims.not_after)}{ended}"
            )


@identity_app.command("show", short_help="Say what a certificate says and whether it counts.")
def show(
    certificate: Annotated[Path, typer.Argument(help="Certificate, PEM.")],
    root: Annotated[Path, typer.Option(help="The authority's root, PEM.")],
    revoked: Annotated[Path, typer.Option("--crl", help="Revocation list, PEM.")],
    at: At = "",
) -> None:
    """Say what a certificate says; exit 1 with one sentence when it does not count."""
    from gridpact.commands.office import seconds, shown, text
    from gridpact.identity.certificate import read_pem
    from gridpact.identity.check import Checker
    from gridpact.identity.revocation import read_revocations_pem
    from gridpact.identity.root import read_root_pem

    trusted = read_root_pem(text(root))
    checker = Checker(trusted, read_revocations_pem(text(revoked), trusted))
    found = read_pem(text(certificate))
    claims = checker.check(found.der, seconds(at)).claims
    print(_line(found))
    roles = ", ".join(str(one.name).lower() for one in claims.roles)
    for what, value in (
        ("fingerprint", found.fingerprint.hex()),
        ("identity", claims.identity.hex()),
        ("meter", claims.meter.hex()),
        ("meter key", f"0x{claims.meter_key.hex()}"),
        ("region", claims.region.hex()),
        ("roles", roles),
        ("counts", f"{shown(claims.not_before)} to {shown(claims.not_after)}"),
    ):
        print(f"  {what:<12}{value}")


@identity_app.command("person", short_help="Say who a participant is; the look is logged.")
def person(office: OfficeFolder, participant: Participant, who: Who = "", at: At = "") -> None:
    """Say who a participant is, as the operator knows it. That somebody looked is written down."""
    from gridpact.commands.office import clerk, open_office, seconds

    with open_office(office) as opened:
        row = opened.register.look(participant, clerk(who), seconds(at))
    if row.person is None:
        print(f"participant {participant}: {row.state}, its record was erased")
    else:
        one = row.person
        print(f"participant {participant}: {one.name}, {one.kind}, {one.country} {one.number}")


@identity_app.command("suspend", short_help="Take all certificates of a participant back.")
def suspend(office: OfficeFolder, participant: Participant, who: Who = "", at: At = "") -> None:
    """Take every certificate of a participant back; it returns by a new review."""
    from gridpact.commands.office import clerk, open_office, seconds
    from gridpact.identity.enrolment import suspend as suspended

    with open_office(office) as opened:
        suspended(opened.register, participant, clerk(who), seconds(at))
    print(f"participant {participant}: suspended")


@identity_app.command("erase", short_help="Erase what is personal of a participant.")
def erase(office: OfficeFolder, participant: Participant, who: Who = "", at: At = "") -> None:
    """Overwrite a participant's record and salts; what ledgers hold then stands for nobody."""
    from gridpact.commands.office import clerk, open_office, seconds
    from gridpact.identity.enrolment import erase as erased

    with open_office(office) as opened:
        erased(opened.register, participant, clerk(who), seconds(at))
    print(f"participant {participant}: erased; its certificates are revoked in the next list")


@identity_app.command("log", short_help="Say who looked at whose record.")
def log(office: OfficeFolder) -> None:
    """Say who looked at, or changed, whose record, in order of time."""
    from gridpact.commands.office import open_office, shown

    with open_office(office) as opened:
        looks = opened.register.accesses()
    for one in looks:
        print(f"{shown(one.at)}  {one.who}  {one.what}  participant {one.person}")


def _roles(given: list[str]) -> "Role":
    from gridpact.errors import BadInput
    from gridpact.model.participant import Role

    roles = Role(0)
    for name in given:
        if name.upper() not in Role.__members__ or name == "region":
            raise BadInput(f"--role {name}: expected consumer, producer, plant or aggregator")
        roles |= Role[name.upper()]
    return roles


def _hand_over(certificate: "Certificate", out: Path) -> None:
    from gridpact.commands.files import write

    write(out, certificate.pem)
    print(_line(certificate))


def _line(certificate: "Certificate") -> str:
    return f"certificate {certificate.serial:x} for 0x{certificate.address.hex()}"
