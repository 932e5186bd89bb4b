"""What sensors hold, as tests bring it to the contracts: by the operator, or by anybody."""

from typing import Any

from tests.contracts.harness import BEGINS, INTERVAL, REGION, World, decoded
from tests.contracts.reading import Contract, Event

from gridpact.crypto.keccak import keccak
from gridpact.ledger.onchain import packing
from gridpact.ledger.onchain.attest import batches
from gridpact.model.interval import Key, Phase
from gridpact.model.record import Verdicts
from gridpact.model.trade import Fill
from gridpact.model.watch import Hold
from gridpact.quantities import Wh

ROOT, LOG = keccak(b"verdicts"), keccak(b"measurements")


def hold(fill: Fill, energy: Wh | None = None) -> Hold:
    """Return a hold of a fill, as a whole unless told how much."""
    held = fill.energy_wh if energy is None else energy
    return Hold(fill.hash, held, BEGINS, "thunderstorm", "station roof")


def rows(holds: tuple[Hold, ...]) -> list[Any]:
    """Return holds as `eth_abi` wants them."""
    packed = map(packing.hold, holds)
    return [(row[:32], int.from_bytes(row[32:64], "big"), row[64:]) for row in packed]


def names(*holds: Hold) -> list[bytes]:
    """Return what a council signs of these holds."""
    key = Key(REGION, INTERVAL, Phase.DELIVER, 1)
    return batches(key, Verdicts(0, ROOT, 0, LOG, holds))


def judge(world: World, *holds: Hold, sender: bytes | None = None) -> list[Event]:
    """Post what sensors said: the operator."""
    given = decoded(world.write(Phase.DELIVER)), 900, ROOT, 3, LOG, rows(holds)
    other = {} if sender is None else {"sender": sender}
    return world.send(Contract.VERDICTS, "judge", *given, **other)


def bring(world: World, sender: bytes, *holds: Hold) -> list[Event]:
    """Bring holds that the council signed: anybody."""
    return world.send(Contract.VERDICTS, "hold", REGION, INTERVAL, rows(holds), sender=sender)


def curtail(world: World, seller: bytes, energy: Wh, **options: Any) -> list[Event]:
    """Post what the network operator stopped of a seller."""
    write = decoded(world.write(Phase.DELIVER))
    row = int.from_bytes(seller, "big") << 64 | energy
    return world.send(Contract.CLEARING, "curtail", write, [row], **options)
