"""One thing of a ledger file in words: a block, a transaction, an account, a write.

What is asked for is told from its form:

- `12`, `sce56/12`: a block by number, on all chains or one;
- `settle/9`, `sce56/settle/9/2`: the write of a phase and interval, and its part;
- 64 hexadecimal digits: a transaction or a block by its hash; else whatever mentions that hash (an
  order, a fill, a crossing, a reading's digest);
- 40 hexadecimal digits, or a name: an account or a contract.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from gridpact.crypto.keccak import keccak
from gridpact.errors import BadInput
from gridpact.ledger.chain import Log
from gridpact.ledger.files.rows import StoredBlock
from gridpact.ledger.files.store import open_to_read
from gridpact.ledger.onchain.decode import Decoded, plain
from gridpact.ledger.reading.standing import Standing, Told, phase_name, said
from gridpact.model.interval import Phase

Facts = dict[str, Any]
"""What is told of one thing, as JSON would have it."""


class Shown(NamedTuple):
    """What one chain says of a thing, and who its addresses are."""

    facts: Facts
    names: Mapping[str, str]


MOST_MENTIONS = 50
MOST_ROWS = 12
"""Rows of a list that the text form prints."""
_SHORT = 12
"""Characters of hexadecimal that rows of the text form print."""
_HEX = re.compile(r"0x[0-9a-f]{20,}")
_PHASES = {phase.name.lower(): phase for phase in Phase}


def show(ledger: Path, what: str) -> list[Shown]:
    """Return what a ledger file says of one thing, chain by chain.

    Raises
    ------
    BadInput
        Nothing of that form is in the file.
    LedgerError
        The file is no ledger.
    """
    with open_to_read(ledger) as store:
        chains = [Standing(store, chain) for chain in store.chains()]
        named, _, rest = what.partition("/")
        meant = [one for one in chains if rest and one.chain.name == named]
        asked = rest if meant else what
        found = [
            Shown(facts, _names(chain)) for chain in meant or chains for facts in _on(chain, asked)
        ]
        store.require_unwritten()
    if not found:
        names = ", ".join(one.chain.name for one in chains)
        raise BadInput(
            f"{ledger}: there is no {what!r} on {names or 'any chain'}: expected a block number, "
            "PHASE/INTERVAL, a hash, an address or a name"
        )
    return found


def _on(standing: Standing, what: str) -> Iterator[Facts]:
    digits = what.removeprefix("0x")
    if re.fullmatch(r"[0-9]{1,18}", what):
        yield from _block_facts(standing, standing.block(int(what)))
    elif parts := re.fullmatch(r"([a-z]+)/([0-9]{1,18})(?:/([0-9]{1,18}))?", what):
        yield from _write(standing, parts[1], int(parts[2]), int(parts[3] or 0))
    elif re.fullmatch(r"[0-9a-fA-F]{64}", digits):
        yield from _hash(standing, bytes.fromhex(digits))
    elif re.fullmatch(r"[0-9a-fA-F]{40}", digits):
        yield from _address(standing, bytes.fromhex(digits))
    else:
        for address, name in standing.names.items():
            if what in (name, name.removeprefix("contract ")):
                yield from _address(standing, address)


def _block_facts(standing: Standing, block: StoredBlock | None) -> Iterator[Facts]:
    if block is None:
        return
    kind, content = said(block)
    header = block.header
    yield {
        "block": f"{standing.chain.name}/{header.number}",
        "hash": plain(header.hash),
        "parent": plain(header.parent),
        "time": _time(header.time),
        "write": f"{phase_name(header)}/{header.interval}/{header.part}",
        "region": plain(header.region),
        "transactions": [_brief(one) for one in standing.told(block)],
        "outbox": [f"{step.state} {step.amount} as {plain(step.id)}" for step in block.steps],
        "record": {"kind": kind, "says": content},
    }


def _write(standing: Standing, phase: str, interval: int, part: int) -> Iterator[Facts]:
    if phase not in _PHASES:
        known = ", ".join(_PHASES)
        raise BadInput(f"{phase!r} is neither a chain of this file nor a phase ({known})")
    for block in standing.blocks():
        header = block.header
        if (header.phase, header.interval, header.part) == (_PHASES[phase], interval, part):
            yield from _block_facts(standing, block)


def _hash(standing: Standing, wanted: bytes) -> Iterator[Facts]:
    mentions: list[Facts] = []
    for block in standing.blocks():
        if block.header.hash == wanted:
            yield from _block_facts(standing, block)
            return
        for position, raw in enumerate(block.raws):
            if keccak(raw) == wanted:
                yield _transaction_facts(standing, block, position)
                return
        mentions += _mentions(standing, block, wanted)
    if mentions:
        yield _mentioned(standing, plain(wanted), mentions)


def _mentions(standing: Standing, block: StoredBlock, wanted: bytes) -> Iterator[Facts]:
    """Yield the transactions of a block whose call or events hold some bytes."""
    content = block.content
    if wanted not in content.transactions and wanted not in content.receipts:
        return
    for told in standing.told(block):
        told_by = [_event(event, log) for log, event in told.logs if _holds(log, wanted)]
        if told_by or wanted in told.transaction.data:
            yield {
                "block": f"{standing.chain.name}/{told.block}",
                "position": told.position,
                "transaction": plain(told.transaction.hash),
                "calls": _brief(told),
                "events": told_by,
            }


def _holds(log: Log, wanted: bytes) -> bool:
    return wanted in log.data or any(wanted in topic for topic in log.topics)


def _mentioned(standing: Standing, what: str, mentions: Sequence[Facts]) -> Facts:
    return {
        "chain": standing.chain.name,
        "mentioned": what,
        "times": len(mentions),
        "in": list(mentions[-MOST_MENTIONS:]),
    }


def _transaction_facts(standing: Standing, block: StoredBlock, position: int) -> Facts:
    told = next(one for one in standing.told(block) if one.position == position)
    sent, call = told.transaction, told.call
    sender = sent.sender or b""
    output = standing.decoder.output(sent.to, sent.data, told.output)
    return {
        "transaction": plain(sent.hash),
        "block": f"{standing.chain.name}/{told.block}",
        "position": position,
        "from": _who(standing, sender),
        "nonce": sent.nonce,
        "to": _who(standing, sent.to) if sent.to else "creates a contract",
        "calls": f"{call.contract}.{call.name}" if call else "no function of ours",
        "with": call.arguments if call else plain(sent.data),
        "status": "succeeded" if told.status else f"failed: {told.reason}",
        "returns": output if told.status and sent.to else plain(told.output),
        "events": [_event(event, log) for log, event in told.logs],
    }


def _address(standing: Standing, address: bytes) -> Iterator[Facts]:
    """Yield an account's money and what was said of it; nothing where it is unknown."""
    mentions = [one for block in standing.blocks() for one in _mentions(standing, block, address)]
    known = address in standing.names
    if not mentions and not known:
        return
    account, name = standing.account(address), standing.names.get(address, "")
    yield {
        "address": plain(address),
        "chain": standing.chain.name,
        "name": name,
        "free": account.free,
        "reserved": account.reserved,
        "locked": account.locked,
        "sent": standing.nonce(address),
        **_mentioned(standing, plain(address), mentions),
    }


def _brief(told: Told) -> str:
    call = told.call
    what = f"{call.contract}.{call.name}" if call else f"{len(told.transaction.data)} bytes"
    end = "" if told.status else f", failed: {told.reason}"
    return f"{what}, {len(told.logs)} events{end}"


def _event(event: Decoded | None, log: Log) -> Facts:
    if event is None:
        return {"address": plain(log.address), "topics": plain(log.topics), "data": plain(log.data)}
    return {"event": f"{event.contract}.{event.name}", **event.arguments}


def _who(standing: Standing, address: bytes) -> str:
    name = standing.names.get(address)
    return f"{plain(address)} ({name})" if name else str(plain(address))


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(sep=" ")


def _names(standing: Standing) -> Mapping[str, str]:
    return {str(plain(address)): name for address, name in standing.names.items()}


def as_text(shown: Shown) -> str:
    """Return facts as indented lines: rows name addresses and shorten hashes, long lists are cut.

    JSON has all of it.
    """
    return "\n".join(_lines(shown.facts, shown.names, 0))


def _lines(value: Any, names: Mapping[str, str], depth: int) -> Iterator[str]:
    space = "  " * depth
    if isinstance(value, Mapping):
        for name, one in value.items():
            if one in ({}, []):
                continue
            if isinstance(one, Mapping | list):
                yield f"{space}{name}:"
                yield from _lines(one, names, depth + 1)
            else:
                yield f"{space}{name}: {one}"
        return
    for one in value[:MOST_ROWS]:
        yield f"{space}- {_row(one, names)}"
    if len(value) > MOST_ROWS:
        yield f"{space}… and {len(value) - MOST_ROWS} more (--format json shows all)"


def _row(value: Any, names: Mapping[str, str]) -> str:
    if isinstance(value, Mapping):
        told = ((name, one) for name, one in value.items() if one not in ({}, []))
        return ", ".join(f"{name} {_row(one, names)}" for name, one in told)
    if isinstance(value, list):
        return "[" + "; ".join(_row(one, names) for one in value) + "]"
    text = names.get(value, value) if isinstance(value, str) else value
    return f"{text[:_SHORT]}…" if isinstance(text, str) and _HEX.fullmatch(text) else str(text)
