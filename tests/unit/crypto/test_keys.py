"""Who signed: recovered from the signature, refused when it has a twin."""

from hypothesis import given
from hypothesis import strategies as st

from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import Key
from gridpact.crypto.recovery import recover, recover_all, signed_by

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
DEVICE = Key.derive(b"seed", "meter 1")
DIGEST = keccak(b"message")
SIGNATURE = DEVICE.sign(DIGEST)


def test_the_key_one_has_the_address_every_ethereum_wallet_knows() -> None:
    one = Key((1).to_bytes(32, "big"))
    assert one.address.hex() == "7e5f4552091a69125d5dfcb7b8c2659029395bdf"


@given(st.binary(min_size=32, max_size=32))
def test_the_signer_is_recovered(digest: bytes) -> None:
    assert recover(digest, DEVICE.sign(digest)) == DEVICE.address


@given(st.integers(0, 64 * 8 - 1))
def test_no_flipped_bit_leaves_the_signer(bit: int) -> None:
    flipped = bytearray(SIGNATURE)
    flipped[bit // 8] ^= 1 << bit % 8
    assert not signed_by(DEVICE.address, DIGEST, bytes(flipped))


def test_the_twin_with_high_s_is_refused() -> None:
    high = ORDER - int.from_bytes(SIGNATURE[32:64], "big")
    twin = SIGNATURE[:32] + high.to_bytes(32, "big") + bytes([55 - SIGNATURE[64]])
    assert recover(DIGEST, twin) is None


def test_a_signature_of_another_length_or_parity_is_none() -> None:
    assert recover(DIGEST, SIGNATURE[:64]) is None
    assert recover(DIGEST, SIGNATURE[:64] + b"\x00") is None
    assert recover(DIGEST, b"\0" * 64 + b"\x1b") is None
    assert recover(DIGEST, b"\xff" * 32 + SIGNATURE[32:]) is None


def test_the_same_seed_and_name_give_the_same_device() -> None:
    assert Key.derive(b"seed", "meter 1") == DEVICE
    assert Key.derive(b"seed", "meter 2").address != DEVICE.address


def test_a_key_signs_alike_every_time_and_with_low_s() -> None:
    assert DEVICE.sign(DIGEST) == SIGNATURE
    assert int.from_bytes(SIGNATURE[32:64], "big") <= ORDER // 2


def test_many_signers_are_recovered_as_one_by_one() -> None:
    signed = []
    for n in range(150):
        key, digest = Key.derive(b"many", str(n)), keccak(n.to_bytes(2, "big"))
        signature = key.sign(digest)
        signed.append((digest, signature[:-1] + b"\x07" if n % 50 == 3 else signature))
    one_by_one = [recover(digest, signature) for digest, signature in signed]
    assert one_by_one.count(None) == 3
    for count in (0, 1, 150):
        assert recover_all(signed[:count]) == one_by_one[:count]


def test_signers_who_come_again_are_found_again() -> None:
    keys = [Key.derive(b"again", str(n % 3)) for n in range(12)]
    digests = [keccak(bytes([n])) for n in range(12)]
    signed = [(digest, key.sign(digest)) for digest, key in zip(digests, keys, strict=True)]
    assert recover_all(signed) == [key.address for key in keys]
