"""Helpers that read the configured size themselves: they gain a size argument, which their callers fill."""

from __future__ import annotations

import libcst as cst

from infonce_lint.finding import Edit, Span
from infonce_lint.repair.place import free_name, is_bracketed, new_argument, on_one_row, replace, span_of, start_of
from infonce_lint.repair.rebuild import SEVERAL_STEPS, rebuild, size_text
from infonce_lint.repair.repeatable import replaced
from infonce_lint.repair.rewrite import Refused, Rewriter
from infonce_lint.semantic.graph.paths import path_text
from infonce_lint.semantic.graph.values import Function, Value
from infonce_lint.semantic.losses.model import SizeUse

_MODULES = frozenset({"Module", "ScriptModule", "LightningModule"})
_BY_HAND = "pass the batch size of the features to it by hand"


def through_helper(helper: Function, uses: list[SizeUse], rewriter: Rewriter) -> list[Edit]:
    """Give a helper that reads the configured size itself a size argument, with the old value as its default."""
    _check_helper(helper, uses, rewriter)
    source = rewriter.source
    read = uses[0].read
    name = free_name("batch_size", helper)
    targets = [rewriter.proof.target(use.read) for use in uses]
    edits = [_new_parameter(helper, name, rewriter), _default(helper, name, _text(targets[0], rewriter), rewriter)]
    for target in targets:
        edits.append(replace(source, target, name))
    stores: dict[Value, Value] = {}
    for call in helper.callers:
        holder = _store_around(call)
        if holder is not None:
            stores[holder] = call
        elif call.function.is_constructor:
            raise Refused(SEVERAL_STEPS)
        elif call.function.is_module:
            raise Refused(
                f"`{helper.name}` is called at module level, where the size cannot be derived; "
                "derive it in the loss by hand"
            )
        else:
            edit = new_argument(source, call, f"{name}={size_text(call, read, rewriter)}")
            if edit is None:
                raise Refused(f"a call of `{helper.name}` is given a generator; put it into brackets first")
            edits.append(edit)
    for store, call in stores.items():
        edits += rebuild(store, uses, rewriter, (call, name))
    return edits


def _is_value(helper: Function) -> bool:
    """Whether a function is used otherwise than by calls of it: as a callback, a default, an entry of a list."""
    calls = {call.inputs[0] for call in helper.callers}
    owner = helper.owner
    reads: list[Value] = []
    if owner is not None:
        reads = [read for each in owner.family() for read in each.reads.get(helper.name, ())]
    else:
        bound = helper.parent.bindings.get(helper.name, ()) if helper.parent is not None else ()
        reads = [read for value in bound if value.source is helper for read in value.users]
    return any(read not in calls and read.users for read in reads)


def _text(target: Value, rewriter: Rewriter) -> str:
    """An expression as it is written, on one row."""
    text = on_one_row(rewriter.source.segment(span_of(rewriter.source, target)))
    if text is None:
        raise Refused(f"`{path_text(target)}` is written on several rows; write it on one first")
    return text


def _check_helper(helper: Function, uses: list[SizeUse], rewriter: Rewriter) -> None:
    if helper.is_module or not isinstance(helper.node, cst.FunctionDef) or helper.is_constructor:
        raise Refused("no tensor with the batch's rows is bound where the size is read; derive it in the loss by hand")
    if len({rewriter.wanted(rewriter.proof.target(use.read)) for use in uses}) > 1:
        raise Refused(f"`{helper.name}` reads several configured sizes; pass them in by hand")
    if not helper.callers:
        raise Refused(
            f"no tensor whose rows give the size is bound where `{helper.qualified_name}` reads it, and nothing in "
            "this file calls it; derive the size from the features by hand"
        )
    if helper.decorators and any(each not in ("staticmethod", "torch.no_grad") for each in helper.decorators):
        raise Refused(f"`{helper.name}` is decorated; pass the batch size of the features to it by hand")
    if helper.owner is not None:
        problem = replaced(helper, helper.owner, rewriter.loss.model)
        if problem:
            raise Refused(f"`{helper.name}` {problem}; give both a size argument by hand")
    if _is_value(helper):
        raise Refused(f"`{helper.name}` is also handed on as a value, and who calls it then is not seen; {_BY_HAND}")
    params = helper.node.params
    if params.posonly_params and not params.params:
        raise Refused(f"`{helper.name}` takes its arguments by place only; {_BY_HAND}")
    if params.kwonly_params or isinstance(params.star_arg, cst.Param) or params.star_kwarg is not None:
        raise Refused(f"`{helper.name}` takes any arguments; pass the batch size of the features to it by hand")
    if not isinstance(helper.node.body, cst.IndentedBlock):
        raise Refused(f"`{helper.name}` is written on one row; pass the batch size of the features to it by hand")


def _new_parameter(helper: Function, name: str, rewriter: Rewriter) -> Edit:
    node = helper.node
    assert isinstance(node, cst.FunctionDef)
    declared = [*node.params.posonly_params, *node.params.params]
    if declared:
        last = declared[-1]
        tail = last.default or (last.annotation.annotation if last.annotation is not None else last.name)
        if is_bracketed(tail):
            raise Refused(f"`{helper.name}` ends its parameters in brackets; give it a size argument by hand")
        end = rewriter.source.span(tail).end
        return Edit(Span(end, end), f", {_declared(helper, name)}")
    after = rewriter.source.span(node.name).end
    offset = rewriter.source.text.index("(", rewriter.source.offset(after)) + 1
    at = rewriter.source.position(offset)
    return Edit(Span(at, at), _declared(helper, name))


def _may_be_scripted(helper: Function) -> bool:
    """Whether TorchScript may compile the helper: a method of a module, whose arguments are tensors unless said."""
    classes = helper.owner.lineage() if helper.owner is not None else ()
    return any(base.name in _MODULES for each in classes for base in each.bases)


def _declared(helper: Function, name: str) -> str:
    return f"{name}: int = -1" if _may_be_scripted(helper) else f"{name}=None"


def _default(helper: Function, name: str, old: str, rewriter: Rewriter) -> Edit:
    """``if batch_size is None: batch_size = self.batch_size`` at the top of the helper, after its docstring."""
    node = helper.node
    assert isinstance(node, cst.FunctionDef) and isinstance(node.body, cst.IndentedBlock)
    statements = list(node.body.body)
    first = statements[0]
    if len(statements) > 1 and isinstance(first, cst.SimpleStatementLine):
        head = first.body[0]
        if isinstance(head, cst.Expr) and isinstance(head.value, cst.SimpleString | cst.ConcatenatedString):
            first = statements[1]
    start = start_of(rewriter.source, first)
    indent = rewriter.source.rows[start.row - 1][: start.column - 1]
    step = "\t" if indent.endswith("\t") else "    "
    test = f"{name} < 0" if _may_be_scripted(helper) else f"{name} is None"
    return Edit(Span(start, start), f"if {test}:\n{indent}{step}{name} = {old}\n{indent}")


def _store_around(call: Value) -> Value | None:
    """The attribute store whose right-hand side holds a call, if there is one."""
    stack, seen = list(call.users), set()
    while stack:
        user = stack.pop()
        if user in seen or user.block is not call.block or user.index != call.index:
            continue
        seen.add(user)
        if user.op == "store":
            return user if user.function.is_constructor else None
        stack.extend(user.users)
    return None
