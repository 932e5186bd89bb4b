"""Stored keys open with their password, elsewhere too, and with nothing else."""

import json

import eth_keyfile
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gridpact.crypto.keys import Key
from gridpact.errors import BadInput, KeyRefused
from gridpact.identity.keystore import (
    open_authority,
    open_device,
    seal_authority,
    seal_device,
)

NOISE, WORK = bytes(range(64)), 2**4
KEY = Key.derive(b"test", "device")
SECRET = bytes(range(32))


def test_device_key_opens_with_its_password() -> None:
    stored = seal_device(KEY, "correct horse", NOISE, WORK)
    assert open_device(stored, "correct horse") == KEY
    assert KEY.secret.hex() not in stored
    with pytest.raises(KeyRefused, match="the password does not open it"):
        open_device(stored, "correct horze")


def test_device_key_is_read_by_ethereum_tools_and_theirs_by_us() -> None:
    stored = json.loads(seal_device(KEY, "pw", NOISE, WORK))
    assert eth_keyfile.decode_keyfile_json(stored, b"pw") == KEY.secret
    theirs = eth_keyfile.create_keyfile_json(KEY.secret, b"pw", kdf="scrypt", iterations=WORK)
    assert open_device(json.dumps(theirs), "pw") == KEY


def test_changed_device_key_does_not_open() -> None:
    stored = json.loads(seal_device(KEY, "pw", NOISE, WORK))
    hidden = stored["crypto"]["ciphertext"]
    stored["crypto"]["ciphertext"] = ("0" if hidden[0] != "0" else "1") + hidden[1:]
    with pytest.raises(KeyRefused, match="was changed"):
        open_device(json.dumps(stored), "pw")


def test_device_key_of_another_address_does_not_open() -> None:
    stored = json.loads(seal_device(KEY, "pw", NOISE, WORK)) | {"address": "00" * 20}
    with pytest.raises(KeyRefused, match="it belongs to 0x"):
        open_device(json.dumps(stored), "pw")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version": 3, "crypto": {}}'])
def test_what_is_no_keystore_is_refused(text: str) -> None:
    with pytest.raises(KeyRefused, match="no keystore of version 3"):
        open_device(text, "pw")


def test_other_ciphers_and_greedy_files_are_refused() -> None:
    stored = json.loads(seal_device(KEY, "pw", NOISE, WORK))
    other = stored | {"crypto": stored["crypto"] | {"cipher": "aes-256-gcm"}}
    with pytest.raises(KeyRefused, match="aes-128-ctr"):
        open_device(json.dumps(other), "pw")
    kdf = stored["crypto"]["kdfparams"]
    for greedy in ({"n": 2**40}, {"r": 2**30}, {"p": 2**30}, {"n": 0}, {"n": 12345}):
        bad = stored | {"crypto": stored["crypto"] | {"kdfparams": kdf | greedy}}
        with pytest.raises(KeyRefused, match="stored key"):
            open_device(json.dumps(bad), "pw")


def test_authority_key_opens_with_its_password() -> None:
    stored = seal_authority(SECRET, "pw", NOISE, WORK)
    assert open_authority(stored, "pw") == SECRET
    with pytest.raises(KeyRefused, match="the password does not open it"):
        open_authority(stored, "wp")


def test_authority_key_is_pkcs8_that_a_library_reads() -> None:
    stored = seal_authority(SECRET, "pw", NOISE, WORK)
    assert load_pem_private_key(stored.encode(), b"pw").private_bytes_raw() == SECRET


def test_unencrypted_authority_key_is_refused() -> None:
    with pytest.raises(KeyRefused, match="expected an encrypted PKCS#8 key"):
        open_authority("-----BEGIN PRIVATE KEY-----\n", "pw")


def test_no_password_or_too_little_noise_is_refused() -> None:
    with pytest.raises(BadInput, match="password"):
        seal_device(KEY, "", NOISE, WORK)
    with pytest.raises(BadInput, match="63 bytes, expected 64"):
        seal_authority(SECRET, "pw", NOISE[1:], WORK)
