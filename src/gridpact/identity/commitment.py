"""Salted commitments: what is said in public of a thing that only the operator's record names.

Who holds value and salt can show what a commitment stands for; without the salt it is a number
that fits everything. Each certificate has salts of its own, so two commitments to one meter share
nothing (5-decisions, section 18).
"""

from gridpact.crypto.keccak import keccak, name_hash
from gridpact.errors import BadInput

SALT = 32
"""Bytes of a salt. A shorter one could be guessed together with a short value."""


def commitment(kind: str, value: str, salt: bytes) -> bytes:
    """Return the 32 bytes that stand for `value`, of the kind "identity" or "meter".

    Raises
    ------
    BadInput
        The salt has not 32 bytes.
    """
    if len(salt) != SALT:
        raise BadInput(f"salt of a commitment: {len(salt)} bytes, expected {SALT}")
    return keccak(name_hash(f"gridpact {kind}") + salt + keccak(value.encode()))
