"""Starts anvil, the Ethereum client that tests and benchmarks run against.

`make test` installs it beside Python's packages (`scripts/install_node_tools.py`); a test that
finds none fails, it is never skipped.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_TOOLS = Path(sys.prefix) / "node" / "node"
_SECONDS_TO_START = 20


def binary() -> Path:
    """Return the installed anvil of this platform."""
    found = sorted(_TOOLS.glob("node_modules/@foundry-rs/anvil-*/bin/anvil*"))
    if not found:
        raise FileNotFoundError(f"no anvil under {_TOOLS}: run `make test`, which installs it")
    return found[0]


def free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def anvil(
    chain_id: int, *options: str, port: int | None = None, hardfork: str = "london"
) -> Iterator[str]:
    """Run anvil, under London rules by default, until the block ends; yield its address.

    `options` are added to the command, as "--block-time", "1". Automine is anvil's default.
    """
    port = port or free_port()
    command = [str(binary()), "--port", str(port), "--chain-id", str(chain_id), "--silent"]
    fixed = ["--hardfork", hardfork, "--base-fee", "0", "--gas-price", "0"]
    url = f"http://127.0.0.1:{port}"
    # anvil puts old states under its home and leaves them there when it is killed: gigabytes
    with TemporaryDirectory() as home:
        process = subprocess.Popen([*command, *fixed, *options], env={**os.environ, "HOME": home})
        try:
            _wait(url, process)
            yield url
        finally:
            process.kill()
            process.wait()


def rpc(url: str, method: str, *params: Any) -> Any:
    """Return the result of one JSON-RPC call; raises `RuntimeError` with the node's error."""
    asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    request = urllib.request.Request(
        url, json.dumps(asked).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answered:
        answer = json.load(answered)
    if "error" in answer:
        raise RuntimeError(f"{method}: {answer['error']}")
    return answer["result"]


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while True:
        if process.poll() is not None:
            raise RuntimeError(f"anvil ended at once with status {process.returncode}")
        try:
            rpc(url, "eth_chainId")
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
