"""Several nodes of one chain behind one question: who answers, and what became of the others.

An endpoint is used only after it has said the right chain id and genesis block, and again after
each failure. One that hangs, answers garbage or lags behind rests for a while; one that belongs to
another chain is never asked again. When none is left, `Unavailable` names each with its failing.
What a node says beyond that is believed here: `node_audit` verifies it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from gridpact.errors import LedgerError, Unavailable
from gridpact.ledger.jsonrpc.transport import Broken, Transport, open_transport

T = TypeVar("T")

_REST_SECONDS = 5.0
"""How long a failing endpoint is left alone while others answer."""
_MISSING_METHOD = -32601
_TRY_ELSEWHERE = {-32005, -32603}
"""Codes by which a node says that it is not able to answer now: limit exceeded, internal error."""
_BEHIND = ("header not found", "unknown block", "outofrange", "missing trie node")
"""Words by which a node says that it has not got so far as the block that was asked about."""


class NodeError(Exception):
    """A node's own answer: an error with its code and data."""

    def __init__(self, method: str, code: int, message: str, data: object = None) -> None:
        self.method, self.code, self.message, self.data = method, code, message, data
        super().__init__(f"{method}: {message} ({code})")

    @property
    def unknown_method(self) -> bool:
        return self.code == _MISSING_METHOD


class Identity(NamedTuple):
    """Which chain this is: two chains with one id differ in their first block."""

    chain_id: int
    genesis: bytes


@dataclass
class _Endpoint:
    url: str
    transport: Transport
    known: bool = False
    """Whether it has said who it is since it last failed."""
    barred: bool = False
    """Whether it belongs to another chain."""
    rests_until: float = 0.0
    failing: str = ""


class Endpoints:
    """Asks the first endpoint that answers.

    Parameters
    ----------
    urls
        In order of preference.
    timeout
        How long one answer may take. [s]
    expected
        The chain id and genesis hash of the chain that every endpoint must be; None takes what
        all that answer agree on.

    Raises
    ------
    Unavailable
        None answers, or all belong to another chain.
    LedgerError
        Nothing is expected and they disagree.
    """

    def __init__(
        self, urls: Sequence[str], timeout: float, expected: tuple[int, bytes] | None = None
    ) -> None:
        self._all = [_Endpoint(url, open_transport(url, timeout)) for url in urls]
        self.identity = Identity(*expected) if expected else self._agreed()

    def ask(self, method: str, *params: Any, parse: Callable[[Any], T]) -> T:
        """Return the parsed result of the first endpoint that gives one.

        `parse` raises `ValueError`, `TypeError` or `KeyError` on what cannot be an answer.

        Raises
        ------
        NodeError
            The node answers with an error.
        Unavailable
            No endpoint answers.
        """
        now = time.monotonic()
        able = [one for one in self._all if not one.barred]
        awake = [one for one in able if one.rests_until <= now]
        for endpoint in awake or able:
            try:
                if not endpoint.known:
                    self._recognise(endpoint)
                return _ask(endpoint, method, params, parse)
            except Broken as failure:
                endpoint.known, endpoint.failing = False, str(failure)
                endpoint.rests_until = time.monotonic() + _REST_SECONDS
        told = "; ".join(f"{one.url}: {one.failing or 'not asked'}" for one in self._all)
        raise Unavailable(f"no node answers {method}: {told}")

    def close(self) -> None:
        for endpoint in self._all:
            endpoint.transport.close()

    def _agreed(self) -> Identity:
        """Return the chain that all endpoints which answer are of."""
        said: dict[str, Identity] = {}
        for endpoint in self._all:
            try:
                said[endpoint.url] = _identity(endpoint)
            except Broken as failure:
                endpoint.failing = str(failure)
        if not said:
            told = "; ".join(f"{one.url}: {one.failing}" for one in self._all)
            raise Unavailable(f"no node answers: {told}")
        if len(set(said.values())) > 1:
            told = ", ".join(f"{url}: {one.chain_id}" for url, one in said.items())
            raise LedgerError(f"the nodes are of different chains: chain id {told}")
        return next(iter(said.values()))

    def _recognise(self, endpoint: _Endpoint) -> None:
        found = _identity(endpoint)
        if found != self.identity:
            endpoint.barred = True
            if found.chain_id != self.identity.chain_id:
                raise Broken(f"says chain id {found.chain_id}, not {self.identity.chain_id}")
            raise Broken(
                f"is another chain of id {found.chain_id}: its genesis is "
                f"0x{found.genesis.hex()[:16]}…, not 0x{self.identity.genesis.hex()[:16]}…"
            )
        endpoint.known = True


def _identity(endpoint: _Endpoint) -> Identity:
    try:
        chain_id = _ask(endpoint, "eth_chainId", (), lambda text: int(text, 16))
        genesis = _ask(
            endpoint,
            "eth_getBlockByNumber",
            ("0x0", False),
            lambda block: bytes.fromhex(block["hash"][2:]),
        )
    except NodeError as error:
        raise Broken(str(error)) from error
    return Identity(chain_id, genesis)


def _ask(endpoint: _Endpoint, method: str, params: Sequence[Any], parse: Callable[[Any], T]) -> T:
    answer = endpoint.transport.ask(method, params)
    error = answer.get("error")
    if error is not None:
        raise _node_error(method, error)
    try:
        return parse(answer["result"])
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as problem:
        text = str(answer.get("result"))[:60]
        raise Broken(f"answers {method} with {text!r}: {problem}") from problem


def _node_error(method: str, error: Any) -> NodeError | Broken:
    if not isinstance(error, dict) or not isinstance(error.get("code"), int):
        return Broken(f"answers {method} with an error that is none: {str(error)[:60]!r}")
    code, message = error["code"], str(error.get("message", ""))
    lags = any(words in message.lower() for words in _BEHIND)
    if lags or (code in _TRY_ELSEWHERE and error.get("data") is None):
        return Broken(f"{method}: {message} ({code})")
    return NodeError(method, code, message, error.get("data"))
