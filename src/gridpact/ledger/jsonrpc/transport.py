"""One JSON-RPC question to one address: HTTP through web3.py, WebSocket through its library.

Both come with the optional extra `rpc` and are imported when a node is first spoken to. Whatever
goes wrong on the way is `Broken`: `endpoints` then asks elsewhere. What the node itself answers,
also an error, is an answer.
"""

import importlib
import json
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Protocol

from gridpact.errors import BadInput

_LARGEST = 64 * 2**20
"""Largest WebSocket answer: a block of a thousand transactions has about one. [B]"""


class Broken(Exception):
    """An endpoint gave no JSON-RPC answer; the text says what it did instead."""


class Transport(Protocol):
    """A way to one node."""

    def ask(self, method: str, params: Sequence[Any]) -> Mapping[str, Any]:
        """Return the answer's JSON object. Raises `Broken`."""
        ...

    def close(self) -> None: ...


def open_transport(url: str, timeout: float) -> Transport:
    """Return the way to a node. Nothing is sent yet.

    Parameters
    ----------
    timeout
        How long one answer may take. [s]

    Raises
    ------
    BadInput
        The URL has another scheme, or the extra `rpc` is not installed.
    """
    kind = url.partition("://")[0]
    try:
        if kind in ("http", "https"):
            return _Http(url, timeout)
        if kind in ("ws", "wss"):
            return _WebSocket(url, timeout)
    except ModuleNotFoundError as error:
        raise BadInput(
            f"{url}: nodes are reached through web3.py ({error.name} is not installed): "
            "pip install 'gridpact[rpc]'"
        ) from error
    raise BadInput(f"{url}: expected http://, https://, ws:// or wss://")


class _Http:
    def __init__(self, url: str, timeout: float) -> None:
        provider = importlib.import_module("web3.providers.rpc").HTTPProvider
        self._provider = provider(
            url, request_kwargs={"timeout": timeout}, exception_retry_configuration=None
        )

    def ask(self, method: str, params: Sequence[Any]) -> Mapping[str, Any]:
        try:
            return _object(self._provider.make_request(method, list(params)))
        except Broken:
            raise
        except Exception as error:
            # requests, urllib3, json and web3 each raise their own: all mean that no answer came
            raise Broken(_short(error)) from error

    def close(self) -> None:
        """Nothing stays open: web3 pools its connections."""


class _WebSocket:
    """One connection, opened when it is needed and again after a failure."""

    def __init__(self, url: str, timeout: float) -> None:
        self._client = importlib.import_module("websockets.sync.client")
        self._url, self._timeout = url, timeout
        self._connection: Any = None
        self._open = ExitStack()
        self._asked = 0
        self._one_at_a_time = threading.RLock()

    def ask(self, method: str, params: Sequence[Any]) -> Mapping[str, Any]:
        with self._one_at_a_time:
            return self._ask(method, params)

    def _ask(self, method: str, params: Sequence[Any]) -> Mapping[str, Any]:
        self._asked += 1
        question = {"jsonrpc": "2.0", "id": self._asked, "method": method, "params": list(params)}
        try:
            if self._connection is None:
                connecting = self._client.connect(
                    self._url, open_timeout=self._timeout, max_size=_LARGEST
                )
                self._connection = self._open.enter_context(connecting)
            self._connection.send(json.dumps(question))
            answer = _object(json.loads(self._connection.recv(timeout=self._timeout)))
        except Exception as error:
            self.close()
            raise error if isinstance(error, Broken) else Broken(_short(error)) from error
        if answer.get("id") != self._asked:
            self.close()
            raise Broken("answers another question than the one asked")
        return answer

    def close(self) -> None:
        self._connection = None
        self._open.close()


def _object(answer: object) -> Mapping[str, Any]:
    if not isinstance(answer, dict) or not ("result" in answer or "error" in answer):
        raise Broken(f"answers no JSON-RPC: {str(answer)[:60]!r}")
    return answer


def _short(error: Exception) -> str:
    """Return what happened in a few words: `requests` nests the cause in long sentences."""
    kind, text = type(error).__name__, str(error)
    for name, words in (("Timeout", "does not answer in time"), ("Connect", "cannot be reached")):
        if name in kind or (name == "Timeout" and "timed out" in text):
            return words
    return f"{kind}: {text[:120]}" if text else kind
