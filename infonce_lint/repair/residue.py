"""Residue: reads of the unit's sizes that no finding names; left behind, they would make half a fix."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heappop, heappush

import libcst as cst

from infonce_lint.repair.proof import Proof
from infonce_lint.semantic.graph.paths import path_text
from infonce_lint.semantic.graph.syntax import changes_receiver, leaves
from infonce_lint.semantic.graph.values import Function, Value
from infonce_lint.semantic.losses.model import ContrastiveLoss, Reads, SemanticModel
from infonce_lint.semantic.shapes.dims import Origin, Symbol
from infonce_lint.semantic.shapes.domain import Number, Tensor
from infonce_lint.semantic.shapes.facts import Relation
from infonce_lint.semantic.shapes.interpreter import Interpreter
from infonce_lint.semantic.shapes.operations import Column, has
from infonce_lint.semantic.shapes.running import library_of

_READING = frozenset({"attr", "sub", "call", "self", "global", "name"})


def remaining_reads(loss: ContrastiveLoss, proof: Proof) -> list[Value]:
    """The reads of the unit's sizes that reach the loss beside those that findings name: a fix rewrites them too."""
    reported = {id(use.read.node) for use in loss.size_uses}
    tied = _tied(proof)
    found: dict[int, Value] = {}
    known = _size_reads(loss.model)
    for function in _functions(loss):
        counted, reads = known.get(function, _NO_READS)
        if counted is not None and proof.sizes.isdisjoint(counted):
            continue
        for value in reads:
            if id(value.node) in reported:
                continue
            if _is_of_unit(value, proof) and _reaches_loss(value, proof, tied):
                found.setdefault(id(value.node), value)
    return list(found.values())


_NO_READS: Reads = (frozenset(), [])


def _size_reads(model: SemanticModel) -> dict[Function, Reads]:
    """The reads of configured sizes in each function, and which sizes they are; None where only a unit tells that.

    Found once for all units, so that a file of many losses does not ask each of them for every read of the others.
    """
    if model.size_reads is None:
        interpreter = Interpreter(model.origins, model.roles.rows, lambda each: model.values_by_function.get(each, []))
        configured = model.origins.configured
        model.size_reads = {}
        for function, values in model.values_by_function.items():
            reads = [
                each
                for each in values
                if each.op in _READING and each.node is not None and configured(each) is not None
            ]
            if reads:
                model.size_reads[function] = (_counted(reads, interpreter), reads)
    return model.size_reads


def _counted(reads: list[Value], interpreter: Interpreter) -> frozenset[Symbol] | None:
    """The sizes that reads stand for; None where one is no number, or the part of a size, whose symbol is a unit's."""
    found: set[Symbol] = set()
    for read in reads:
        known = interpreter.evaluate(read, interpreter.root(read.function))
        if not isinstance(known, Number):
            return None
        found |= known.dim.of(Origin.SIZE)
    is_part = any(isinstance(each.owner, tuple) and each.owner[0] == "quotient" for each in found)
    return None if is_part else frozenset(found)


def residue_problem(loss: ContrastiveLoss, proof: Proof) -> str:
    """Which read of the unit's size would stay behind in a place that no fix can write; empty when there is none."""
    kept = _kept_tensor(loss, proof)
    if kept is not None:
        return (
            f"`self.{kept.name}` is built in the constructor from the same size in another way; "
            "build it in the loss from the features' rows"
        )
    directory = loss.model.directory
    for function in directory.rebinding:
        if function.parent in loss.functions and _reads_size(function, loss, proof):
            return (
                f"`{function.name}` reads the size and binds a name of `{loss.name}` anew, which is not followed; "
                "repair both by hand"
            )
    names = {each.owner[-1] for each in proof.sizes if isinstance(each.owner, tuple) and each.owner[0] == "self"}
    for value in directory.lambda_reads:
        if value.name in names:  # ``scale = property(lambda self: 1 / self.batch_size)``
            return (
                f"`{path_text(value)}` also reaches the loss in a lambda of the class in a way that no fix covers; "
                "repair all uses together by hand"
            )
    return ""


def _reads_size(function: Function, loss: ContrastiveLoss, proof: Proof) -> bool:
    _, reads = _size_reads(loss.model).get(function, _NO_READS)
    return any(_is_of_unit(read, proof) for read in reads)


def _is_of_unit(read: Value, proof: Proof) -> bool:
    dim = proof.number(read)
    return dim is not None and bool(dim.of(Origin.SIZE) & proof.sizes)


def _kept_tensor(loss: ContrastiveLoss, proof: Proof) -> Value | None:
    """A read of a tensor that keeps the configured size between batches and that no finding names."""
    stores = {reach.store for use in loss.size_uses for reach in use.engagements}
    for function in loss.functions:
        if function.is_constructor:
            continue
        for value in loss.model.values_by_function.get(function, ()):
            kept = [each for each in value.inputs if each.op == "store" and each.function.is_constructor]
            if value.op != "self" or not kept or stores.intersection(kept):
                continue
            tensor = proof.tensor(value, function)
            if tensor is not None and any(dim.of(Origin.SIZE) & proof.sizes for dim in tensor.dims):
                return value
    return None


def _functions(loss: ContrastiveLoss) -> list[Function]:
    """The functions of the unit, all that they call, and the constructors of their classes."""
    found = dict.fromkeys(loss.functions)
    for function in found.copy():
        stack = [function]
        while stack:
            for call in stack.pop().calls:
                if call.callee is not None and call.callee not in found:
                    found.setdefault(call.callee)
                    stack.append(call.callee)
    model = loss.model
    places = model.directory.places
    roles = model.roles
    _extend(
        found,
        (),
        lambda each: roles.cones_in.get(each, ()),
        lambda number: (each for each in roles.functions_of_cones[number] if not each.is_module),
    )
    found.update(dict.fromkeys(each for each in roles.makers if model.unit_of.get(each, loss) is loss))
    owners = {function.owner for function in loss.functions if function.owner is not None}
    _extend(
        found,
        [places[each] for owner in owners for each in model.directory.constructors.get(owner, ())],
        lambda each: [places[inner] for inner in model.directory.nested.get(each, ())],
        lambda number: (model.module.functions[number],),
    )
    return list(found)


def _extend(
    found: dict[Function, None],
    numbers: Iterable[int],
    leads_to: Callable[[Function], Iterable[int]],
    brings: Callable[[int], Iterable[Function]],
) -> None:
    """Add, once through in ascending order, what the numbers bring that are given or that a function leads to."""
    waiting = sorted({*numbers, *(number for each in found for number in leads_to(each))})
    known = set(waiting)
    while waiting:
        current = heappop(waiting)
        for function in brings(current):
            if function not in found:
                found[function] = None
                for number in leads_to(function):
                    if number > current and number not in known:
                        known.add(number)
                        heappush(waiting, number)


def _tied(proof: Proof) -> set[Value]:
    """The operations that need a size of the unit to be that of a tensor from elsewhere."""
    return {
        fact.site.value
        for fact in proof.facts
        if fact.relation is Relation.EQUAL
        and proof.sizes & (fact.left.symbols | fact.right.symbols)
        and (fact.left.of(Origin.AXIS) or fact.right.of(Origin.AXIS))
    }


def _reaches_loss(read: Value, proof: Proof, tied: set[Value]) -> bool:
    """Whether what is computed from a read enters the similarity or anything made of it, or steers how that is made."""
    model = proof.loss.model
    cone, features, origins = model.roles.cone, model.roles.features, model.origins
    own = proof.loss.functions
    # elsewhere a slice of rows is a batch that is drawn, which ends where they end
    is_own = read.function in own or read.function.parent in own
    seen: set[Value] = set()
    stack = [read]
    while stack:
        value = stack.pop()
        for user in value.users:
            if user in seen or user.op in ("guard", "func", "class"):
                continue
            seen.add(user)
            if user in tied:
                return True
            if user in cone and user.op in ("binop", "call", "sub", "setitem"):
                return True
            if user in features and (user.op in ("binop", "call", "setitem") or (user.op == "sub" and is_own)):
                return True
            if user.op == "call" and (has(user.name, Column.ENDS) or user.constructs is not None or _is_foreign(user)):
                continue
            if user.op == "setitem" or (user.op == "call" and changes_receiver(user.name)):
                return True  # a part of a tensor is changed where it lies
            if user.op == "compare" and not _has_entries(user, proof):
                if not origins.size_keys(user) and _steers(user, read):
                    return True
                continue
            if user.op in ("self", "global") and origins.configured(user) is not None:
                continue  # a read of its own
            if user.op == "phi" and isinstance(user.literal, Value) and origins.size_keys(user.literal):
                continue
            stack.append(user)
    return False


def _is_foreign(call: Value) -> bool:
    """Whether a call runs code of another file, which may be a data loader as well as anything else."""
    called = call.inputs[0]
    is_method = called.op == "attr" and bool(called.inputs) and library_of(call) is None
    is_builtin = called.op in ("global", "free") and not called.inputs
    return call.callee is None and library_of(call) is None and not is_method and not is_builtin


def _has_entries(test: Value, proof: Proof) -> bool:
    """Whether a comparison is one of tensors, entry by entry, which steers nothing."""
    known = proof.interpreter.evaluate(test, proof.frame(test.function))
    return isinstance(known, Tensor) and (bool(known.dims) or known.rest is not None)


def _steers(test: Value, read: Value) -> bool:
    """Whether a comparison decides more than whether to give up."""
    if read.function.is_constructor:
        return False
    statement = test.block.statements.get(test.index)
    if isinstance(statement, cst.If) and statement.orelse is None:
        return not leaves(statement.body)
    return not isinstance(statement, cst.SimpleStatementLine) or not isinstance(statement.body[0], cst.Assert)
