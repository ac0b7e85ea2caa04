"""Expressions: each becomes a `Value` whose inputs are the values it is computed from."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import libcst as cst

from infonce_lint.semantic.graph.calls import call_name
from infonce_lint.semantic.graph.conditional import runs_at_least_once
from infonce_lint.semantic.graph.literals import changes_list
from infonce_lint.semantic.graph.nodes import children_of
from infonce_lint.semantic.graph.scopes import Scopes, element_of, is_self
from infonce_lint.semantic.graph.values import Block, Function, Op, Value
from infonce_lint.semantic.names import is_config_size_name


class Expressions(Scopes):
    """Evaluates expressions in the scope that the statement walker (`flow.py`) keeps."""

    _handlers: ClassVar[dict[type, Callable[..., Value]]] = {}  # by the kind of node, filled as kinds are met

    def evaluate(self, node: cst.BaseExpression) -> Value:
        """The value of an expression."""
        kind = type(node)
        handler = self._handlers.get(kind)
        if handler is None:
            handler = self._handlers[kind] = getattr(Expressions, f"eval_{kind.__name__}", Expressions.eval_other)
        return handler(self, node)

    def conditional(self, node: cst.BaseExpression) -> Value:
        """The value of an expression that is computed only when a test asks for it."""
        outer = self.region
        self.region = (*outer, id(node))
        value = self.evaluate(node)
        self.region = outer
        return value

    def eval_other(self, node: cst.CSTNode) -> Value:
        """Anything without a handler of its own: a value made of its sub-expressions."""
        parts = [child for child in children_of(node) if isinstance(child, cst.BaseExpression)]
        return self.value(Op.OTHER, type(node).__name__, node, [self.evaluate(part) for part in parts])

    # -- names and attributes ----------------------------------------------------------------------------------------

    def eval_Name(self, node: cst.Name) -> Value:
        name = node.value
        bound = self.env.get(name)
        if bound is None and name in SINGLETONS:
            return self.value(Op.SINGLETON, name, node, [])
        if bound is not None:
            if self.function.is_module and bound.op not in (Op.FUNC, Op.CLASS, Op.IMPORT, Op.GLOBAL, Op.ITEM):
                # at module level every read counts as a read of a global: constants are defined there
                read = self.value(Op.GLOBAL, name, node, [bound])
                read.scope = dict(self.env)
                return read
            if name in self.function.shared and bound.op not in (Op.IMPORT, Op.FUNC, Op.CLASS):
                read = self.value(Op.CLOSURE, name, node, [bound])  # another function may have bound it anew
                read.scope = dict(self.env)
                return read
            if bound.op in (Op.PARAM, Op.IMPORT, Op.FUNC, Op.CLASS):
                read = self.value(Op.NAME, name, node, [bound])
                if bound.op is Op.PARAM:
                    read.scope = dict(self.env)
                return read
            return bound
        read = self.value(Op.FREE, name, node, [])  # linking finds what encloses it
        read.scope = dict(self.env)
        return read

    def eval_Attribute(self, node: cst.Attribute) -> Value:
        base = self.evaluate(node.value)
        name = node.attr.value
        if is_self(base):
            key = f"self.{name}"
            known = self.env.get(key)
            read = self.value(Op.SELF, name, node, [known] if known is not None else [])
            owner = self.function.enclosing_class
            if owner is not None:
                owner.reads.setdefault(name, []).append(read)
        else:
            read = self.value(Op.ATTR, name, node, [base])
            self.enter_entry(node, base, read)
            if not is_config_size_name(name, self.size_names):
                return read
        read.scope = dict(self.env)
        return read

    def eval_Subscript(self, node: cst.Subscript) -> Value:
        inputs = [self.evaluate(node.value)]
        for element in node.slice:
            inner = element.slice
            if isinstance(inner, cst.Index):
                inputs.append(self.evaluate(inner.value))
            elif isinstance(inner, cst.Slice):
                bounds = [self.evaluate(each) for each in (inner.lower, inner.upper, inner.step) if each is not None]
                inputs.append(self.value(Op.SLICE, "", inner, bounds))
        if len(inputs) == 2 and inputs[1].op is Op.CONST and isinstance(inputs[1].literal, int):
            known = element_of(inputs[0], inputs[1].literal)
            if known is not None:
                return known
        read = self.value(Op.SUB, "", node, inputs)
        if inputs[-1].op is Op.STR and len(inputs) == 2:
            read.name = str(inputs[-1].literal)
            read.scope = dict(self.env)
            self.enter_entry(node, inputs[0], read)
        return read

    # -- calls -------------------------------------------------------------------------------------------------------

    def eval_Call(self, node: cst.Call) -> Value:
        called = self.evaluate(node.func)
        inputs, keywords = [called], []
        if node.args and isinstance(node.args[0].value, cst.GeneratorExp) and call_name(called) in _ASKING:
            self.asked = node.args[0].value
        for argument in node.args:
            inputs.append(self.evaluate(argument.value))
            keywords.append("*" * len(argument.star) or None if argument.keyword is None else argument.keyword.value)
        made = self.value(Op.CALL, call_name(called), node, inputs)
        made.keywords = tuple(keywords)
        made.scope = dict(self.env)
        self.function.calls.append(made)
        if isinstance(node.func, cst.Attribute) and changes_list(node.func.attr.value, made):
            self.change(node.func.value)
        return made

    # -- operators ---------------------------------------------------------------------------------------------------

    def eval_BinaryOperation(self, node: cst.BinaryOperation) -> Value:
        left, right = self.evaluate(node.left), self.evaluate(node.right)
        return self.value(Op.BINOP, type(node.operator).__name__, node, [left, right])

    def eval_UnaryOperation(self, node: cst.UnaryOperation) -> Value:
        return self.value(Op.UNARY, type(node.operator).__name__, node, [self.evaluate(node.expression)])

    def eval_BooleanOperation(self, node: cst.BooleanOperation) -> Value:
        left, right = self.evaluate(node.left), self.conditional(node.right)
        return self.value(Op.BOOL, type(node.operator).__name__, node, [left, right])

    def eval_Comparison(self, node: cst.Comparison) -> Value:
        first, *later = node.comparisons  # those are looked at while the links before them hold
        inputs = [self.evaluate(node.left), self.evaluate(first.comparator)]
        inputs += [self.conditional(target.comparator) for target in later]
        operator = type(first.operator).__name__
        return self.value(Op.COMPARE, operator, node, inputs)

    def eval_IfExp(self, node: cst.IfExp) -> Value:
        test = self.evaluate(node.test)
        phi = self.value(Op.PHI, "ifexp", node, [self.conditional(node.body), self.conditional(node.orelse)])
        phi.literal = test
        return phi

    def eval_NamedExpr(self, node: cst.NamedExpr) -> Value:
        """``(name := value)``; in a comprehension it binds a name of the function around it (PEP 572)."""
        value = self.evaluate(node.value)
        self.bind(node.target, value)
        if self.comprehended and isinstance(node.target, cst.Name):
            self.comprehended[-1].append(node.target.value)
        return value

    def eval_Await(self, node: cst.Await) -> Value:
        return self.evaluate(node.expression)

    def eval_Yield(self, node: cst.Yield) -> Value:
        self.function.is_generator = True
        inner = node.value
        if isinstance(inner, cst.From):
            inner = inner.item
        value = self.evaluate(inner) if inner is not None else self.value(Op.NONE, "", node, [])
        self.function.returns.add_input(value)
        return value

    # -- literals and displays ---------------------------------------------------------------------------------------

    def eval_Integer(self, node: cst.Integer) -> Value:
        made = self.value(Op.CONST, "", node, [])
        try:
            made.literal = int(node.value, 0)
        except ValueError:
            made.literal = node.value  # thousands of digits
        return made

    def eval_Float(self, node: cst.Float) -> Value:
        made = self.value(Op.CONST, "", node, [])
        made.literal = float(node.value.replace("_", ""))
        return made

    def eval_SimpleString(self, node: cst.SimpleString) -> Value:
        made = self.value(Op.STR, "", node, [])
        made.literal = node.raw_value
        return made

    def eval_ConcatenatedString(self, node: cst.ConcatenatedString) -> Value:
        return self.value(Op.STR, "", node, [])

    def eval_FormattedString(self, node: cst.FormattedString) -> Value:
        for part in node.parts:
            if isinstance(part, cst.FormattedStringExpression):
                self.evaluate(part.expression)
        return self.value(Op.STR, "", node, [])

    def eval_Tuple(self, node: cst.Tuple | cst.List | cst.Set) -> Value:
        inputs = [self.evaluate(element.value) for element in node.elements]
        return self.value(Op.TUPLE, type(node).__name__, node, inputs)

    eval_List = eval_Tuple
    eval_Set = eval_Tuple

    def eval_StarredElement(self, node: cst.StarredElement) -> Value:
        return self.evaluate(node.value)

    def eval_Dict(self, node: cst.Dict) -> Value:
        keys, inputs = [], []
        for element in node.elements:
            if isinstance(element, cst.DictElement):
                key = self.evaluate(element.key)
                keys.append(str(key.literal) if key.op is Op.STR else None)
            else:
                keys.append(None)
            inputs.append(self.evaluate(element.value))
        made = self.value(Op.DICT, "", node, inputs)
        made.keywords = tuple(keys)
        return made

    # -- comprehensions and lambdas ----------------------------------------------------------------------------------

    def eval_ListComp(self, node: cst.ListComp | cst.GeneratorExp | cst.SetComp) -> Value:
        return self.comprehension(node, node.elt)

    eval_GeneratorExp = eval_ListComp
    eval_SetComp = eval_ListComp

    def eval_DictComp(self, node: cst.DictComp) -> Value:
        return self.comprehension(node, node.value)

    def comprehension(self, node: cst.BaseComp, element: cst.BaseExpression) -> Value:
        """A list, set, dictionary or generator of an element, for each round of its clauses.

        Its loop variables are its own, its walrus targets are not; a generator runs when somebody asks it.
        """
        outer, region = self.env, self.region
        self.env = dict(outer)
        self.comprehended.append([])
        clause: cst.CompFor | None = node.for_in
        containers = []
        is_certain = not isinstance(node, cst.GeneratorExp) or node is self.asked  # that there is a round
        while clause is not None:
            container = self.evaluate(clause.iter)
            containers.append(container)
            is_certain = is_certain and not clause.ifs and runs_at_least_once(clause.iter)
            self.region = region if is_certain else (*region, id(node))
            self.bind(clause.target, self.value(Op.ITEM, "", clause.target, [container]))
            for condition in clause.ifs:
                self.evaluate(condition.test)
            clause = clause.inner_for_in
        made = self.evaluate(element)
        inner, self.env, self.region = self.env, outer, region
        self._keep_bound(self.comprehended.pop(), inner, node)
        return self.value(Op.COMP, "", node, [made, *containers])

    def _keep_bound(self, names: list[str], inner: dict[str, Value], node: cst.BaseComp) -> None:
        """Bind what a comprehension binds around itself: there may be no round, or any number of them."""
        for name in dict.fromkeys(names):
            kept = [self.env[name]] if name in self.env else []
            joined = self.value(Op.PHI, name, node, [*kept, inner[name]])
            joined.maybe_unbound = not kept or kept[0].maybe_unbound
            self.set_name(name, joined)
            if self.comprehended:
                self.comprehended[-1].append(name)

    def eval_Lambda(self, node: cst.Lambda) -> Value:
        function = Function("<lambda>", node, self.function, None)
        function.body = Block(function, None, 0, node)
        function.returns = Value(Op.RETURN, "<lambda>", None, [], function, function.body, 0)
        self.values.append(function.returns)
        self.parameters(function, node.params)
        self.bodies[id(function)] = node.body
        self.pending.append(function)
        made = self.value(Op.FUNC, "<lambda>", node, [])
        made.source = function
        return made


#: What asks a generator for all of its elements.
_ASKING = frozenset({"sum", "list", "tuple", "set", "max", "min", "sorted", "extend", "join", "fsum", "prod", "deque"})
SINGLETONS = frozenset({"None", "True", "False"})
