"""Purchase wallets and vouchers: what buyer, operator and seller sign of one purchase ([Yu23]).

The buyer's device makes the wallet's key and proves that it has it; the operator certifies the
wallet by a voucher for one seller and never sees a secret; the wallet's key signs the same voucher
to pay, and a confirmation when the energy came. `contracts/wallets.vy` checks each.
"""

import msgspec

from gridpact.crypto.eip712 import Domain, word
from gridpact.crypto.keccak import keccak
from gridpact.model.typed import CONFIRMATION, HOLD, POSSESSION, VOUCHER
from gridpact.quantities import Money, Wh, divide_half_even


class Voucher(msgspec.Struct, frozen=True):
    """The operator's word for one purchase ("Token" in the paper).

    The seller delivers `volume_wh` in interval `due_by` for `balance`, the whole money of the
    wallet `account`, less `charge`, which is the network's; it is named until interval
    `valid_until`. `serial` rises strictly per wallet.
    `record_root` commits to the buyer's record: timely and late payments, hashes of earlier ones.
    """

    account: bytes
    seller: bytes
    serial: int
    valid_until: int
    volume_wh: Wh
    balance: Money
    charge: Money
    due_by: int
    record_root: bytes

    def digest(self, domain: Domain) -> bytes:
        """Return what the operator signs, and the wallet's key too."""
        return domain.digest(VOUCHER.struct_hash(msgspec.structs.astuple(self)))

    @property
    def purchase(self) -> bytes:
        """The purchase's name: a confirmation carries it in place of a fill's hash."""
        return keccak(word(self.account) + word(self.serial))

    def due(self, energy: Wh) -> Money:
        """Return what `energy` of the volume costs, rounded once over all that came so far."""
        return divide_half_even((self.balance - self.charge) * energy, self.volume_wh)

    def charged(self, energy: Wh) -> Money:
        """Return the network charge of `energy` of the volume, rounded in the same way."""
        return divide_half_even(self.charge * energy, self.volume_wh)


def account_of(buyer: bytes, region: bytes, nonce: int) -> bytes:
    """Return the account of a buyer's purchase wallet: an address nobody has a key for."""
    return keccak(word(buyer) + region + word(nonce))[12:]


def possession(domain: Domain, account: bytes, buyer: bytes, key: bytes) -> bytes:
    """Return what a wallet's new key signs to prove that the buyer's device holds it."""
    return domain.digest(POSSESSION.struct_hash((account, buyer, key)))


def confirmation(domain: Domain, voucher: Voucher, region: bytes, received: Wh) -> bytes:
    """Return what the wallet's key signs when `received` of the volume has come so far."""
    values = (voucher.purchase, region, voucher.due_by, received)
    return domain.digest(CONFIRMATION.struct_hash(values))


def hold(domain: Domain, purchase: bytes) -> bytes:
    """Return what the operator signs where the sensors hold a purchase: its seller is not fined."""
    return domain.digest(HOLD.struct_hash((purchase,)))
