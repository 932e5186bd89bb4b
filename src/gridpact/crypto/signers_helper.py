"""The process that recovers signers beside its owner: `signers` starts it and talks to it.

It ends when the owner's end of the socket closes, and also when it finds itself adopted by
another process (a fork of the owner can hold the socket open).
"""

import os
import socket
from contextlib import suppress

from gridpact.crypto.recovery import recover_all
from gridpact.crypto.signers import ADDRESS, DIGEST, HEAD, SIGNATURE

_LOOK = 2.0
"""How often it looks whether its owner is still there. [s]"""
_ITEM = DIGEST + SIGNATURE


def main(owner: int) -> None:
    """Serve the socket that is the standard input until the owner is gone."""
    with socket.socket(fileno=0) as line:
        line.settimeout(_LOOK)
        with suppress(BrokenPipeError, ConnectionResetError):  # the owner ended meanwhile
            serve(line, owner)


def serve(line: socket.socket, owner: int) -> None:
    """Say that it is up, then answer part after part."""
    known: dict[bytes, bytes] = {}
    line.sendall(HEAD.pack(0, 0))
    while head := _read(line, HEAD.size, owner):
        number, count = HEAD.unpack(head)
        body = _read(line, count * _ITEM, owner)
        places = range(0, len(body), _ITEM)
        signed = ((body[at : at + DIGEST], body[at + DIGEST : at + _ITEM]) for at in places)
        signers = recover_all(signed, known)
        answer = b"".join([signer or bytes(ADDRESS) for signer in signers])
        line.sendall(HEAD.pack(number, len(signers)) + answer)


def _read(line: socket.socket, size: int, owner: int) -> bytes:
    """Return so many bytes; none when the owner is gone."""
    data = b""
    while len(data) < size:
        try:
            more = line.recv(size - len(data))
        except TimeoutError:
            if os.getppid() != owner:
                return b""
            continue
        if not more:
            return b""
        data += more
    return data
