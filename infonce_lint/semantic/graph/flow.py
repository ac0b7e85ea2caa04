"""Statements: from a libcst module to its value graph, following assignments, branches, loops and scopes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import libcst as cst

from infonce_lint.semantic.graph.calls import call_name
from infonce_lint.semantic.graph.expressions import Expressions
from infonce_lint.semantic.graph.syntax import (
    assigned_name,
    assigned_names,
    captured_names,
    changes_receiver,
    decorator_name,
    dotted,
    last_statement,
    leaves,
    leaves_if,
    nonlocal_names,
)
from infonce_lint.semantic.graph.values import Block, Class, Function, Module, Op, Value
from infonce_lint.semantic.graph.walk import walk

Environment = dict[str, Value]

#: What makes a short batch a full one.
_FILLING = frozenset("pad constant_pad cat concat concatenate vstack repeat tile resize".split())


def _breaks(suite: cst.BaseSuite) -> bool:
    """Whether a suite ends the loop around it."""
    return isinstance(last_statement(suite), cst.Break)


class GraphBuilder(Expressions):
    """Builds the graph of one module; every function body is walked once, after the code that defines it."""

    def build(self, tree: cst.Module) -> Module:
        """The value graph of ``tree`` (calls and attributes not yet linked: see `linking.py`)."""
        main = self.open_function("<module>", tree, None, None)
        self.main = main
        self.functions.append(main)
        self.enter(main, {})
        self.run_statements(tree.body)
        main.final = dict(self.env)
        while self.pending:
            function = self.pending.pop(0)
            self.run_function(function)
        self.rebind_globals(main)
        return Module(main, self.functions, self.classes, self.values, self.imports, self.has_star_import, self.entries)

    def rebind_globals(self, main: Function) -> None:
        """Let what functions bind to global names join what the module itself bound last."""
        self.enter(main, main.final)
        for name, values in self.rebound.items():
            bound = [main.final[name], *values] if name in main.final else values
            main.final[name] = bound[0] if len(bound) == 1 else self.value(Op.PHI, name, None, bound)

    def run_function(self, function: Function) -> None:
        """Walk the body of a function whose parameters are known."""
        self.functions.append(function)
        self.enter(function, dict(function.parameters))
        body = self.bodies[id(function)]
        if isinstance(body, cst.BaseSuite):
            self.run_suite(body)
        else:
            function.returns.add_input(self.evaluate(body))
        function.final = dict(self.env)

    def enter(self, function: Function, env: Environment) -> None:
        """Make ``function`` the one whose code is being walked."""
        self.function = function
        self.block = function.body
        self.index = 0
        self.env = env

    def open_function(self, name: str, node: cst.CSTNode, parent: Function | None, owner: Class | None) -> Function:
        """A function record with its empty body block and its return value."""
        function = Function(name, node, parent, owner)
        function.body = Block(function, None, 0, node)
        function.returns = Value(Op.RETURN, name, None, [], function, function.body, 0)
        self.values.append(function.returns)
        return function

    # -- blocks ------------------------------------------------------------------------------------------------------

    def run_suite(self, suite: cst.BaseSuite) -> None:
        """Walk a suite's statements in the current block."""
        if isinstance(suite, cst.SimpleStatementSuite):
            self.block.inline = True
            for small in suite.body:
                self.run_small(small)
            self.index += 1
        else:
            self.run_statements(suite.body)

    def run_statements(self, statements: Iterable[cst.CSTNode]) -> None:
        """Walk statements of one block, numbering them."""
        for statement in statements:
            self.block.statements[self.index] = statement
            if isinstance(statement, cst.SimpleStatementLine):
                for small in statement.body:
                    self.block.statements[self.index] = statement
                    self.run_small(small)
                    self.index += 1
            else:
                handler = getattr(self, f"run_{type(statement).__name__}", None)
                if handler is not None:
                    handler(statement)
            self.index += 1

    def nested(self, suite: cst.BaseSuite, env: Environment, guards: list[Value], statement: cst.CSTNode) -> bool:
        """Walk a suite as a block of its own from ``env``; says whether its end is reached."""
        self.env = env
        with self.opened(statement) as block:
            block.guards = guards
            self.run_suite(suite)
        return not leaves(suite)

    @contextmanager
    def opened(self, statement: cst.CSTNode) -> Iterator[Block]:
        """A block inside the current one, whose statements are numbered from 0."""
        outer, index = self.block, self.index
        self.block, self.index = Block(self.function, outer, index, statement), 0
        yield self.block
        self.block, self.index = outer, index

    # -- compound statements -----------------------------------------------------------------------------------------

    def run_If(self, statement: cst.If) -> None:
        test = self.evaluate(statement.test)
        if self.left and _breaks(statement.body):
            self.value(Op.WHILE, "", statement.test, [test])
        before = self.env
        comparisons = [test]
        ends = self.nested(statement.body, dict(before), comparisons, statement)
        then_env = self.env
        self.env = dict(before)
        other_ends = True
        if isinstance(statement.orelse, cst.If):
            with self.opened(statement) as block:
                block.inline = True
                block.guards = comparisons
                self.run_If(statement.orelse)
            other_ends = not leaves_if(statement.orelse)
        elif isinstance(statement.orelse, cst.Else):
            other_ends = self.nested(statement.orelse.body, self.env, comparisons, statement)
        else_env = self.env
        if ends and statement.orelse is None and self._fills_up(statement.body, before, then_env):
            self.block.guards.append(self.value(Op.GUARD, "", statement.test, [test]))
        if ends and other_ends:
            self.env = self.join(then_env, else_env, statement, test)
        else:
            # one branch leaves the block: the test decides all that follows
            self.env = then_env if ends else else_env
            self.block.guards.append(self.value(Op.GUARD, "", statement.test, [test]))

    def _fills_up(self, body: cst.BaseSuite, before: Environment, after: Environment) -> bool:
        """Whether a branch brings a tensor to another number of rows: ``if short: x = F.pad(x, ...)``."""
        changed = [(before[name], after[name]) for name in assigned_names(body) if name in before and name in after]
        return any(
            new.op is Op.CALL and call_name(new.inputs[0]) in _FILLING and old in walk([new], lambda each: each.inputs)
            for old, new in changed
        )

    def run_For(self, statement: cst.For) -> None:
        container = self.evaluate(statement.iter)
        self.loop(statement, statement.body, statement.target, container)

    def run_While(self, statement: cst.While) -> None:
        self.loop(statement, statement.body, None, None)

    def loop(
        self,
        statement: cst.For | cst.While,
        body: cst.BaseSuite,
        target: cst.BaseExpression | None,
        container: Value | None,
    ) -> None:
        """A loop body: names it rebinds become phis that the round's end feeds."""
        before = self.env
        rebound = [name for name in assigned_names(body) if name in before]
        env = dict(before)
        phis: Environment = {}
        self.left.append([])
        for name in rebound:
            phis[name] = env[name] = self.value(Op.PHI, name, statement, [before[name]])
        self.env = env
        if isinstance(statement, cst.While):
            self.value(Op.WHILE, "", statement.test, [self.evaluate(statement.test)])
            before = {**self.env, **before}  # what the test binds, it binds without a round as well
        if target is not None and container is not None:
            self.bind(target, self.value(Op.ITEM, "", target, [container]))
        self.nested(body, self.env, [], statement)
        ends = [self.env, *(left for left, goes_on in self.left[-1] if goes_on)]
        for name, phi in phis.items():
            for end in ends:
                if end.get(name) is not phi and name in end:
                    phi.add_input(end[name])
        last = self.env
        self.env = self.join(self.env, before, statement)
        ways = self.left.pop()
        for goes_on in (True, False):
            if not goes_on and statement.orelse is not None:  # which runs unless the loop is left by ``break``
                self.behind(statement.orelse.body, statement)
            for left in (each for each, goes in ways if goes is goes_on):
                # what a round began with, or would have ended with, has its part in the join above
                parts = {name: (phis.get(name), last.get(name)) for name in left}
                known = {name: self.env.get(name, left[name]) for name in left if left[name] in parts[name]}
                self.env = self.join(self.env, {**left, **known}, statement)

    def run_With(self, statement: cst.With) -> None:
        for item in statement.items:
            entered = self.evaluate(item.item)
            if item.asname is not None:
                self.bind(item.asname.name, entered)
        self.behind(statement.body, statement)

    def behind(self, suite: cst.BaseSuite, statement: cst.CSTNode) -> None:
        """Walk a suite as a block of its own that goes on with what holds now."""
        with self.opened(statement):
            self.run_suite(suite)

    def run_Try(self, statement: cst.Try | cst.TryStar) -> None:
        before = dict(self.env)
        bound = {name: len(self.function.bindings.get(name, ())) for name in assigned_names(statement.body)}
        self.nested(statement.body, dict(before), [], statement)
        after = self.env
        raised = self.join(before, after, statement)
        for name, count in bound.items():
            values = self.function.bindings.get(name, [])[count:]
            if len(values) > 1:  # it may have raised between them
                raised[name] = self.value(Op.PHI, name, statement, list(dict.fromkeys([raised[name], *values])))
        for handler in statement.handlers:
            held = dict(raised)
            name = assigned_name(handler.name)
            if name:
                held[name] = self.value(Op.OTHER, name, handler, [])
            if self.nested(handler.body, held, [], statement):
                if name in self.env:  # it is unbound again
                    self.env[name] = self.value(Op.OTHER, name, handler, [])
                    self.env[name].maybe_unbound = True
                after = self.join(after, self.env, statement)
        self.env = after
        for suite in (statement.orelse, statement.finalbody):
            if suite is not None:
                self.behind(suite.body, statement)

    run_TryStar = run_Try

    def run_Match(self, statement: cst.Match) -> None:
        subject = self.evaluate(statement.subject)
        before = self.env
        merged = before
        for case in statement.cases:
            captured = {name: self.value(Op.OTHER, name, case, [subject]) for name in captured_names(case.pattern)}
            if self.nested(case.body, {**before, **captured}, [], statement):
                merged = self.join(merged, self.env, statement)
        self.env = merged

    def run_FunctionDef(self, statement: cst.FunctionDef) -> None:
        function = self.open_function(statement.name.value, statement, self.function, self.owner)
        function.is_coroutine = statement.asynchronous is not None
        function.decorators = tuple(decorator_name(each.decorator) for each in statement.decorators)
        self.parameters(function, statement.params)
        self.bodies[id(function)] = statement.body
        self.pending.append(function)
        if not self.function.is_module:
            self.function.shared |= nonlocal_names(statement.body)
        named = self.value(Op.FUNC, statement.name.value, statement, [])
        named.source = function
        if self.owner is not None and self.class_env is self.env:
            self.owner.methods[statement.name.value] = function
        self.set_name(statement.name.value, named)

    def run_ClassDef(self, statement: cst.ClassDef) -> None:
        bases = [self.evaluate(base.value) for base in statement.bases]
        record = Class(statement.name.value, statement, bases)
        self.classes.append(record)
        named = self.value(Op.CLASS, record.name, statement, [])
        named.source = record
        self.set_name(record.name, named)
        outer_env, outer_owner, outer_class_env = self.env, self.owner, self.class_env
        self.env = self.class_env = dict(outer_env)
        self.owner = record
        with self.opened(statement):
            self.run_suite(statement.body)
        for name, value in self.env.items():
            if outer_env.get(name) is not value and value.op not in (Op.FUNC, Op.CLASS):
                record.slots.setdefault(name, []).append(value)
        for name in nonlocal_names(statement.body):
            if name in self.env:  # a class body may bind the variables of the function around it
                outer_env[name] = self.env[name]
        self.env, self.owner, self.class_env = outer_env, outer_owner, outer_class_env

    # -- simple statements -------------------------------------------------------------------------------------------

    def run_small(self, small: cst.BaseSmallStatement) -> None:
        handler = getattr(self, f"run_{type(small).__name__}", None)
        if handler is not None:
            handler(small)

    def run_Expr(self, small: cst.Expr) -> None:
        if not isinstance(small.value, cst.SimpleString | cst.ConcatenatedString):
            result = self.evaluate(small.value)
            self.in_place(small.value, result)

    def in_place(self, node: cst.BaseExpression, result: Value) -> None:
        """``mask.fill_diagonal_(0)`` and ``list.append(x)`` change what the name stands for."""
        if result.op is not Op.CALL or not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute):
            return
        if changes_receiver(node.func.attr.value):
            self.mutate(node.func.value, result)

    def run_Assign(self, small: cst.Assign) -> None:
        value = self.evaluate(small.value)
        for target in small.targets:
            self.bind(target.target, value)

    def run_AnnAssign(self, small: cst.AnnAssign) -> None:
        if small.value is not None:
            self.bind(small.target, self.evaluate(small.value))

    def run_AugAssign(self, small: cst.AugAssign) -> None:
        left = self.evaluate(small.target)
        right = self.evaluate(small.value)
        operator = type(small.operator).__name__.removesuffix("Assign")
        self.bind(small.target, self.value(Op.BINOP, operator, small, [left, right]))

    def run_Return(self, small: cst.Return) -> None:
        if small.value is not None:
            self.function.returns.add_input(self.evaluate(small.value))

    def run_Break(self, small: cst.Break) -> None:
        if self.left:
            self.left[-1].append((dict(self.env), False))

    def run_Continue(self, small: cst.Continue) -> None:
        if self.left:
            self.left[-1].append((dict(self.env), True))

    def run_Assert(self, small: cst.Assert) -> None:
        test = self.evaluate(small.test)
        self.block.guards.append(self.value(Op.GUARD, "assert", small.test, [test]))

    def run_Raise(self, small: cst.Raise) -> None:
        if small.exc is not None:
            self.evaluate(small.exc)

    def run_Import(self, small: cst.Import) -> None:
        for alias in small.names:
            path = dotted(alias.name)
            local = dotted(alias.asname.name) if alias.asname is not None else path.split(".")[0]
            self.imported(local, path if alias.asname is not None else local)

    def run_ImportFrom(self, small: cst.ImportFrom) -> None:
        if isinstance(small.names, cst.ImportStar):
            self.has_star_import = True
            return
        package = "." * len(small.relative) + (dotted(small.module) if small.module is not None else "")
        for alias in small.names:
            name = dotted(alias.name)
            self.imported(dotted(alias.asname.name) if alias.asname is not None else name, f"{package}.{name}")

    def imported(self, local: str, path: str) -> None:
        """A name that an import binds."""
        self.imports[local] = path
        self.set_name(local, self.value(Op.IMPORT, path, None, []))

    def run_Global(self, small: cst.Global) -> None:
        names = {item.name.value for item in small.names}
        self.function.globals |= names
        self.function.shared |= names

    def run_Nonlocal(self, small: cst.Nonlocal) -> None:
        names = {item.name.value for item in small.names}
        self.function.nonlocals |= names
        self.function.shared |= names

    def run_Del(self, small: cst.Del) -> None:
        targets = small.target.elements if isinstance(small.target, cst.Tuple) else [small.target]
        for target in targets:
            name = target.value if isinstance(target, cst.Element) else target
            if isinstance(name, cst.Name):
                self.env.pop(name.value, None)
            elif isinstance(name, cst.Subscript):
                self.change(name.value)
