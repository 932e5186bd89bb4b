"""Keys at rest, encrypted with a password: PKCS#8 for the authority, Web3 keystore for devices.

Both derive their key by scrypt (RFC 7914), so that guessing passwords costs memory. Devices' files
are the version 3 JSON that Ethereum clients read; the authority's is PBES2 (RFC 8018) with scrypt
and AES-256-CBC (the openssl command reads it with `work` up to 2^14, its limit of memory). Salts
and nonces are given.
"""

import base64
import hmac
import json
import uuid
from typing import Final

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, CTR
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import Key
from gridpact.errors import BadInput, KeyRefused

WORK: Final = 2**17
"""Rounds of scrypt, N: about 0.4 s and 128 MiB for each password that is tried."""

_R, _P = 8, 1
_MOST_MEMORY = 2**29
"""A file that asks for more memory is not opened: it was not made to be. [B]"""


class _Kdf(msgspec.Struct):
    dklen: int
    n: int
    r: int
    p: int
    salt: str


class _Iv(msgspec.Struct):
    iv: str


class _Crypto(msgspec.Struct):
    cipher: str
    cipherparams: _Iv
    ciphertext: str
    kdf: str
    kdfparams: _Kdf
    mac: str


class _Keystore(msgspec.Struct):
    version: int
    crypto: _Crypto
    address: str = ""


def seal_device(key: Key, password: str, noise: bytes, work: int = WORK) -> str:
    """Return a device's key as version 3 keystore JSON; `noise` is 64 random bytes.

    Raises
    ------
    BadInput
        No password, or too little noise.
    """
    salt, iv, name = _noise(password, noise)
    derived = _scrypt(password, salt, work, _R, _P, 32)
    hidden = _aes_ctr(derived[:16], iv, key.secret)
    content = {
        "version": 3,
        "id": str(uuid.UUID(bytes=name, version=4)),
        "address": key.address.hex(),
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": iv.hex()},
            "ciphertext": hidden.hex(),
            "kdf": "scrypt",
            "kdfparams": {"dklen": 32, "n": work, "r": _R, "p": _P, "salt": salt.hex()},
            "mac": keccak(derived[16:] + hidden).hex(),
        },
    }
    return json.dumps(content, indent=1) + "\n"


def open_device(text: str, password: str) -> Key:
    """Return the key of a device's keystore.

    Raises
    ------
    KeyRefused
        Another password, or no keystore of version 3 with scrypt and AES-128-CTR.
    """
    try:
        store = msgspec.json.decode(text, type=_Keystore)
        crypto, kdf = store.crypto, store.crypto.kdfparams
        salt, iv = bytes.fromhex(kdf.salt), bytes.fromhex(crypto.cipherparams.iv)
        hidden, mac = bytes.fromhex(crypto.ciphertext), bytes.fromhex(crypto.mac)
    except (msgspec.MsgspecError, ValueError) as error:
        raise KeyRefused(f"device key: no keystore of version 3 with scrypt: {error}") from error
    form = (store.version, crypto.cipher, crypto.kdf, kdf.dklen, len(iv), len(hidden))
    if form != (3, "aes-128-ctr", "scrypt", 32, 16, 32):
        raise KeyRefused("device key: expected a keystore of version 3, scrypt, aes-128-ctr")
    derived = _scrypt(password, salt, kdf.n, kdf.r, kdf.p, 32)
    if not hmac.compare_digest(keccak(derived[16:] + hidden), mac):
        raise KeyRefused("device key: the password does not open it, or the file was changed")
    key = Key(_aes_ctr(derived[:16], iv, hidden))
    if store.address and store.address.lower().removeprefix("0x") != key.address.hex():
        raise KeyRefused(f"device key: it belongs to 0x{key.address.hex()}, not {store.address}")
    return key


def seal_authority(secret: bytes, password: str, noise: bytes, work: int = WORK) -> str:
    """Return the authority's secret as an encrypted PKCS#8 key in PEM form.

    Raises
    ------
    BadInput
        No password, or too little noise.
    """
    salt, iv, _ = _noise(password, noise)
    plain = Ed25519PrivateKey.from_private_bytes(secret).private_bytes(
        Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
    )
    padder = padding.PKCS7(128).padder()
    cipher = Cipher(AES(_scrypt(password, salt, work, _R, _P, 32)), CBC(iv)).encryptor()
    hidden = cipher.update(padder.update(plain) + padder.finalize()) + cipher.finalize()
    return _pem(_sequence(_pbes2(salt, work, iv), _tlv(4, hidden)))


def open_authority(text: str, password: str) -> bytes:
    """Return the secret of the authority's key, 32 bytes.

    Raises
    ------
    KeyRefused
        Another password, or no encrypted Ed25519 key in PEM form.
    """
    if "BEGIN ENCRYPTED PRIVATE KEY" not in text:
        raise KeyRefused("authority's key: expected an encrypted PKCS#8 key in PEM form")
    try:
        key = load_pem_private_key(text.encode(), password.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm, MemoryError) as error:
        raise KeyRefused(
            "authority's key: the password does not open it, or the file was changed"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyRefused("authority's key: expected an Ed25519 key")
    return key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())


def _noise(password: str, noise: bytes) -> tuple[bytes, bytes, bytes]:
    """Return salt, initial vector and name."""
    if not password:
        raise BadInput("password: expected at least one character")
    if len(noise) != 64:
        raise BadInput(f"randomness for a stored key: {len(noise)} bytes, expected 64")
    return noise[:32], noise[32:48], noise[48:]


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int, length: int) -> bytes:
    if min(n, r, p) < 1 or 128 * n * r * p > _MOST_MEMORY:
        raise KeyRefused(f"stored key: scrypt with n {n}, r {r}, p {p} is more than we spend on it")
    try:
        return Scrypt(salt=salt, length=length, n=n, r=r, p=p).derive(password.encode())
    except ValueError as error:
        raise KeyRefused(f"stored key: {error}") from error


def _aes_ctr(key: bytes, iv: bytes, data: bytes) -> bytes:
    cipher = Cipher(AES(key), CTR(iv)).encryptor()
    return cipher.update(data) + cipher.finalize()


# DER, as far as one encrypted key needs it

_PBES2 = bytes.fromhex("06092a864886f70d01050d")
_SCRYPT = bytes.fromhex("06092b06010401da47040b")
_AES_256_CBC = bytes.fromhex("060960864801650304012a")


def _pbes2(salt: bytes, work: int, iv: bytes) -> bytes:
    costs = (_number(work), _number(_R), _number(_P), _number(32))
    kdf = _sequence(_SCRYPT, _sequence(_tlv(4, salt), *costs))
    return _sequence(_PBES2, _sequence(kdf, _sequence(_AES_256_CBC, _tlv(4, iv))))


def _number(value: int) -> bytes:
    return _tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _sequence(*parts: bytes) -> bytes:
    return _tlv(0x30, b"".join(parts))


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes((tag, size)) + content
    return bytes((tag, 0x81, size)) + content


def _pem(der: bytes) -> str:
    text = base64.b64encode(der).decode()
    rows = (text[at : at + 64] for at in range(0, len(text), 64))
    name = "ENCRYPTED PRIVATE KEY"
    return "\n".join((f"-----BEGIN {name}-----", *rows, f"-----END {name}-----", ""))
