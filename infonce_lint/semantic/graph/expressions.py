"""Expressions: each becomes a `Value` whose inputs are the values it is computed from."""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from infonce_lint.semantic.graph.syntax import access_path
from infonce_lint.semantic.graph.values import Block, Class, Entry, Function, Value
from infonce_lint.semantic.names import is_config_size_name


class Expressions:
    """Evaluates expressions in the scope that the statement walker (`flow.py`) keeps."""

    def __init__(self, size_names: tuple[str, ...] = ()) -> None:
        self.size_names = size_names
        self.functions: list[Function] = []
        self.classes: list[Class] = []
        self.values: list[Value] = []
        self.imports: dict[str, str] = {}
        self.has_star_import = False
        self.entries: list[Entry] = []
        self.stored_roots: set[str] = set()
        self.pending: list[Function] = []
        self.rebound: dict[str, list[Value]] = {}  # what functions bind to names that they declare global
        self.bodies: dict[int, cst.BaseSuite | cst.BaseExpression] = {}
        self.main: Function
        self.function: Function
        self.block: Block
        self.index = 0
        self.env: dict[str, Value] = {}
        self.class_env: dict[str, Value] | None = None
        self.owner: Class | None = None
        self._handlers: dict[type, Callable[..., Value]] = {}

    def value(self, op: str, name: str, node: cst.CSTNode | None, inputs: list[Value]) -> Value:
        """A new value at the current statement, registered with its inputs."""
        made = Value(op, name, node, inputs, self.function, self.block, self.index)
        for each in inputs:
            each.users.append(made)
        self.values.append(made)
        return made

    def evaluate(self, node: cst.BaseExpression) -> Value:
        """The value of an expression."""
        kind = type(node)
        if kind not in self._handlers:
            self._handlers[kind] = getattr(self, f"eval_{kind.__name__}", self.eval_other)
        return self._handlers[kind](node)

    def eval_other(self, node: cst.CSTNode) -> Value:
        """Anything without a handler of its own: a value made of its sub-expressions."""
        parts = [child for child in node.children if isinstance(child, cst.BaseExpression)]
        return self.value("other", type(node).__name__, node, [self.evaluate(part) for part in parts])

    # -- names and attributes ----------------------------------------------------------------------------------------

    def eval_Name(self, node: cst.Name) -> Value:
        name = node.value
        bound = self.env.get(name)
        if bound is None and name in SINGLETONS:
            return self.value("singleton", name, node, [])
        if bound is not None:
            if self.function.is_module and bound.op not in ("func", "class", "import", "global", "item"):
                # at module level every read counts as a read of a global: constants are defined there
                read = self.value("global", name, node, [bound])
                read.scope = dict(self.env)
                return read
            if bound.op in ("param", "import", "func", "class"):
                read = self.value("name", name, node, [bound])
                if bound.op == "param":
                    read.scope = dict(self.env)
                return read
            return bound
        read = self.value("free", name, node, [])  # linking finds what encloses it
        read.scope = dict(self.env)
        return read

    def eval_Attribute(self, node: cst.Attribute) -> Value:
        base = self.evaluate(node.value)
        name = node.attr.value
        if is_self(base):
            key = f"self.{name}"
            known = self.env.get(key)
            read = self.value("self", name, node, [known] if known is not None else [])
            owner = self.function.enclosing_class
            if owner is not None:
                owner.reads.setdefault(name, []).append(read)
        else:
            read = self.value("attr", name, node, [base])
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
                inputs.append(self.value("slice", "", inner, bounds))
        if len(inputs) == 2 and inputs[1].op == "const" and isinstance(inputs[1].literal, int):
            known = element_of(inputs[0], inputs[1].literal)
            if known is not None:
                return known
        read = self.value("sub", "", node, inputs)
        if inputs[-1].op == "str" and len(inputs) == 2:
            read.name = str(inputs[-1].literal)
            read.scope = dict(self.env)
            self.enter_entry(node, inputs[0], read)
        return read

    def enter_entry(self, node: cst.BaseExpression, base: Value, value: Value) -> None:
        """Note the read or the store (``value`` is a ``store``) of an object's entry, and let reads see stores."""
        root, _, path = access_path(node).partition(".")
        if not path:
            return
        key, is_store = f"{root}.{path}", value.op == "store"
        if is_store:
            self.forget_entries(key)
            self.env[key] = value
            self.stored_roots.add(root)
        elif key in self.env:
            value.stored.append(self.env[key])
        self.entries.append(Entry(root, path, base, value, is_store))

    def forget_entries(self, path: str) -> None:
        """``path`` is bound to another object: what was stored in the old one's entries does not count for it."""
        if path.partition(".")[0] in self.stored_roots:
            for entry in [each for each in self.env if each.startswith(f"{path}.")]:
                del self.env[entry]

    # -- calls -------------------------------------------------------------------------------------------------------

    def eval_Call(self, node: cst.Call) -> Value:
        called = self.evaluate(node.func)
        inputs, keywords = [called], []
        for argument in node.args:
            inputs.append(self.evaluate(argument.value))
            keywords.append("*" * len(argument.star) or None if argument.keyword is None else argument.keyword.value)
        made = self.value("call", call_name(called), node, inputs)
        made.keywords = tuple(keywords)
        made.scope = dict(self.env)
        self.function.calls.append(made)
        return made

    # -- operators ---------------------------------------------------------------------------------------------------

    def eval_BinaryOperation(self, node: cst.BinaryOperation) -> Value:
        left, right = self.evaluate(node.left), self.evaluate(node.right)
        return self.value("binop", type(node.operator).__name__, node, [left, right])

    def eval_UnaryOperation(self, node: cst.UnaryOperation) -> Value:
        return self.value("unary", type(node.operator).__name__, node, [self.evaluate(node.expression)])

    def eval_BooleanOperation(self, node: cst.BooleanOperation) -> Value:
        left, right = self.evaluate(node.left), self.evaluate(node.right)
        return self.value("bool", type(node.operator).__name__, node, [left, right])

    def eval_Comparison(self, node: cst.Comparison) -> Value:
        inputs = [self.evaluate(node.left)]
        inputs += [self.evaluate(target.comparator) for target in node.comparisons]
        operator = type(node.comparisons[0].operator).__name__
        return self.value("compare", operator, node, inputs)

    def eval_IfExp(self, node: cst.IfExp) -> Value:
        test = self.evaluate(node.test)
        phi = self.value("phi", "ifexp", node, [self.evaluate(node.body), self.evaluate(node.orelse)])
        phi.literal = test
        return phi

    def eval_NamedExpr(self, node: cst.NamedExpr) -> Value:
        value = self.evaluate(node.value)
        self.bind(node.target, value)
        return value

    def eval_Await(self, node: cst.Await) -> Value:
        return self.evaluate(node.expression)

    def eval_Yield(self, node: cst.Yield) -> Value:
        self.function.is_generator = True
        inner = node.value
        if isinstance(inner, cst.From):
            inner = inner.item
        value = self.evaluate(inner) if inner is not None else self.value("none", "", node, [])
        self.function.returns.add_input(value)
        return value

    # -- literals and displays ---------------------------------------------------------------------------------------

    def eval_Integer(self, node: cst.Integer) -> Value:
        made = self.value("const", "", node, [])
        try:
            made.literal = int(node.value, 0)
        except ValueError:
            made.literal = node.value  # thousands of digits
        return made

    def eval_Float(self, node: cst.Float) -> Value:
        made = self.value("const", "", node, [])
        made.literal = float(node.value.replace("_", ""))
        return made

    def eval_SimpleString(self, node: cst.SimpleString) -> Value:
        made = self.value("str", "", node, [])
        made.literal = node.raw_value
        return made

    def eval_ConcatenatedString(self, node: cst.ConcatenatedString) -> Value:
        return self.value("str", "", node, [])

    def eval_FormattedString(self, node: cst.FormattedString) -> Value:
        for part in node.parts:
            if isinstance(part, cst.FormattedStringExpression):
                self.evaluate(part.expression)
        return self.value("str", "", node, [])

    def eval_Tuple(self, node: cst.Tuple | cst.List | cst.Set) -> Value:
        inputs = [self.evaluate(element.value) for element in node.elements]
        return self.value("tuple", type(node).__name__, node, inputs)

    eval_List = eval_Tuple
    eval_Set = eval_Tuple

    def eval_StarredElement(self, node: cst.StarredElement) -> Value:
        return self.evaluate(node.value)

    def eval_Dict(self, node: cst.Dict) -> Value:
        keys, inputs = [], []
        for element in node.elements:
            if isinstance(element, cst.DictElement):
                key = self.evaluate(element.key)
                keys.append(str(key.literal) if key.op == "str" else None)
            else:
                keys.append(None)
            inputs.append(self.evaluate(element.value))
        made = self.value("dict", "", node, inputs)
        made.keywords = tuple(keys)
        return made

    # -- comprehensions and lambdas ----------------------------------------------------------------------------------

    def eval_ListComp(self, node: cst.ListComp | cst.GeneratorExp | cst.SetComp) -> Value:
        outer = self.env
        self.env = dict(outer)
        containers = self.comprehension_targets(node.for_in)
        element = self.evaluate(node.elt)
        self.env = outer
        return self.value("comp", "", node, [element, *containers])

    eval_GeneratorExp = eval_ListComp
    eval_SetComp = eval_ListComp

    def eval_DictComp(self, node: cst.DictComp) -> Value:
        outer = self.env
        self.env = dict(outer)
        containers = self.comprehension_targets(node.for_in)
        element = self.evaluate(node.value)
        self.env = outer
        return self.value("comp", "", node, [element, *containers])

    def comprehension_targets(self, clause: cst.CompFor | None) -> list[Value]:
        """Bind the loop variables of a comprehension; its containers."""
        containers = []
        while clause is not None:
            container = self.evaluate(clause.iter)
            containers.append(container)
            self.bind(clause.target, self.value("item", "", clause.target, [container]))
            for condition in clause.ifs:
                self.evaluate(condition.test)
            clause = clause.inner_for_in
        return containers

    def eval_Lambda(self, node: cst.Lambda) -> Value:
        function = Function("<lambda>", node, self.function, None)
        function.body = Block(function, None, 0, node)
        function.returns = Value("return", "<lambda>", None, [], function, function.body, 0)
        self.values.append(function.returns)
        self.parameters(function, node.params)
        self.bodies[id(function)] = node.body
        self.pending.append(function)
        made = self.value("func", "<lambda>", node, [])
        made.source = function
        return made

    # -- binding -----------------------------------------------------------------------------------------------------

    def parameters(self, function: Function, declared: cst.Parameters) -> None:
        """The parameters of a function and the values of their defaults, evaluated where it is defined."""
        ordinary = [*declared.posonly_params, *declared.params]
        named = [*ordinary, *declared.kwonly_params]
        stars = [declared.star_arg, declared.star_kwarg]
        is_method = isinstance(function.node, cst.FunctionDef) and function.owner is not None
        function.is_static = "staticmethod" in function.decorators
        for position, param in enumerate([*named, *(star for star in stars if isinstance(star, cst.Param))]):
            name = param.name.value
            made = Value("param", name, param.name, [], function, function.body, 0)
            self.values.append(made)
            if position == 0 and is_method and not function.is_static:
                made.op = "selfparam"
            elif position < len(ordinary):
                function.positional.append(name)
            function.parameters[name] = made
            function.bindings.setdefault(name, []).append(made)
            if param.default is not None:
                function.defaults[name] = self.evaluate(param.default)

    def set_name(self, name: str, value: Value) -> None:
        """Bind a plain name in the current scope."""
        self.env[name] = value
        value.bound = value.bound or name
        if self.class_env is not self.env:
            self.function.bindings.setdefault(name, []).append(value)
            if name in self.function.globals:
                self.main.bindings.setdefault(name, []).append(value)
                self.rebound.setdefault(name, []).append(value)
            elif name in self.function.nonlocals:
                self.enclosing(name).bindings.setdefault(name, []).append(value)

    def enclosing(self, name: str) -> Function:
        """The function around this one whose variable ``name`` is."""
        scope = self.function.parent
        while scope is not None and name not in scope.bindings:
            scope = scope.parent
        return scope if scope is not None else self.function

    def bind(self, target: cst.BaseExpression, value: Value) -> None:
        """Bind an assignment target: a name, an attribute, an element, or a tuple of them."""
        if isinstance(target, cst.Name):
            self.forget_entries(target.value)
            self.set_name(target.value, value)
        elif isinstance(target, cst.Tuple | cst.List):
            for position, element in enumerate(target.elements):
                part = element_of(value, position, len(target.elements))
                if part is None:
                    part = self.value("item", str(position), element.value, [value])
                    part.literal = position
                self.bind(element.value, part)
        elif isinstance(target, cst.StarredElement):
            self.bind(target.value, value)
        elif isinstance(target, cst.Attribute):
            self.store_attribute(target, value)
        elif isinstance(target, cst.Subscript):
            self.store_element(target, value)

    def store_attribute(self, target: cst.Attribute, value: Value) -> None:
        """``self.x = value`` fills the class's slot; on other objects it is an entry of its own."""
        base = self.evaluate(target.value)
        name = target.attr.value
        if is_self(base):
            owner = self.function.enclosing_class
            kept = self.value("store", name, target, [value])
            self.env[f"self.{name}"] = kept
            if owner is not None:
                owner.slots.setdefault(name, []).append(kept)
        else:
            self.enter_entry(target, base, self.value("store", name, target, [value]))

    def store_element(self, target: cst.Subscript, value: Value) -> None:
        """``mask[i, j] = 0``: a new version of the container, shaped by the indices too."""
        indexed = self.eval_Subscript(target)
        version = self.value("setitem", "", target, [*indexed.inputs, value])
        if indexed.op == "sub" and indexed.name:
            self.enter_entry(target, indexed.inputs[0], self.value("store", indexed.name, target, [value]))
        self.mutate(target.value, version)

    def mutate(self, node: cst.BaseExpression, version: Value) -> None:
        """What ``node`` names now stands for ``version``."""
        if isinstance(node, cst.Name):
            if node.value in self.env and self.env[node.value].op not in ("import", "func", "class"):
                self.set_name(node.value, version)
        elif isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name):
            base = self.env.get(node.value.value)
            if base is not None and base.op == "selfparam":
                self.store_attribute(node, version)


SINGLETONS = frozenset({"None", "True", "False"})


def is_self(value: Value) -> bool:
    """Whether a value is the method's own object."""
    return value.op == "selfparam" or (value.op in ("name", "free") and value.name == "self")


def element_of(value: Value, position: int, count: int | None = None) -> Value | None:
    """The element of a tuple display at ``position``, when the display is at hand and has ``count`` elements."""
    if value.op == "global" and value.inputs:
        value = value.inputs[0]
    if value.op != "tuple" or (count is not None and len(value.inputs) != count):
        return None
    return value.inputs[position] if -len(value.inputs) <= position < len(value.inputs) else None


def call_name(called: Value) -> str:
    """The last name of what is called: ``torch.arange`` -> ``arange``, an imported alias -> its own name."""
    if called.op in ("name", "global") and called.inputs and called.inputs[0].op == "import":
        return called.inputs[0].name.rsplit(".", 1)[-1]
    if called.op == "import":
        return called.name.rsplit(".", 1)[-1]
    return called.name
