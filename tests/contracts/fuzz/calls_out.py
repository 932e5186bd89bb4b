"""Whom the contracts call, by their sources: read from the compiler's syntax trees.

Every call out must go to a peer that was fixed when the contract was deployed, or to a word-only
precompile. What is found is a graph; a graph without a way back has no re-entrancy.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from tests.contracts.fuzz.surface import SOURCES
from vyper import ast as vy
from vyper.ast.parse import parse_to_ast

BUILT_IN = {"raw_call", "send", "raw_create", "create_minimal_proxy_to", "create_copy_of"}
BUILT_IN |= {"create_from_blueprint", "create_forwarder_to", "selfdestruct", "raw_revert"}


class Call(NamedTuple):
    """A call out: of a function of a module, to a function of a peer named by a variable."""

    module: str
    function: str
    peer: str
    variable: str
    called: str
    static: bool


@cache
def tree(module: str) -> Any:
    """Return a source's syntax tree."""
    return parse_to_ast((SOURCES / f"{module}.vy").read_text("utf-8"))


def modules() -> list[str]:
    """Return the names of all sources."""
    return sorted(path.stem for path in SOURCES.glob("*.vy"))


def immutables(module: str) -> set[str]:
    """Return the variables that are fixed at deployment."""
    return {
        declared.target.id
        for declared in tree(module).get_descendants(vy.VariableDecl)
        if declared.is_immutable
    }


def imported(module: str) -> set[str]:
    """Return the modules that a source imports."""
    names = {one.name for one in tree(module).get_descendants(vy.Import)}
    return names & set(modules())


def built_ins(module: str) -> set[str]:
    """Return what a source uses of the language's own ways to call or to create."""
    calls = tree(module).get_descendants(vy.Call)
    return {one.func.id for one in calls if isinstance(one.func, vy.Name)} & BUILT_IN


@cache
def calls(module: str) -> tuple[Call, ...]:
    """Return all calls out of a source's functions."""
    found = []
    for function in tree(module).get_descendants(vy.FunctionDef):
        peers = dict(_locals(function))
        for kind, static in ((vy.ExtCall, False), (vy.StaticCall, True)):
            for one in function.get_descendants(kind):
                target = one.value.func
                peer, variable = _peer(target.value, peers)
                found.append(Call(module, function.name, peer, variable, target.attr, static))
    return tuple(found)


def _locals(function: Any) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the local variables that hold a peer: (name, (interface, variable))."""
    for one in function.get_descendants(vy.AnnAssign):
        if isinstance(one.annotation, vy.Attribute) and one.annotation.attr == "__interface__":
            yield one.target.id, _peer(one.value, {})


def _peer(value: Any, known: Mapping[str, tuple[str, str]]) -> tuple[str, str]:
    """Return which interface an expression speaks to, and the variable that says where."""
    if isinstance(value, vy.Name):
        return known[value.id]
    assert isinstance(value, vy.Call), value
    assert value.func.attr == "__interface__", value
    (where,) = value.args
    variable = where.attr if isinstance(where, vy.Attribute) else where.id
    return value.func.value.id, variable
