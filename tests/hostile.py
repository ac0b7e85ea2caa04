"""Python texts that hurt parsers: nested, chained and repeated constructs of any size, and broken bytes.

Some kill the process of an unguarded libcst, so tests that hand them on do it in a child process.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable

FIXTURES = pathlib.Path(__file__).parent.parent / "fixtures" / "hostile"

NESTED: dict[str, Callable[[int], str]] = {
    "parentheses": lambda n: "(" * n + "1" + ")" * n,
    "lists": lambda n: "[" * n + "]" * n,
    "dicts": lambda n: "{0: " * n + "1" + "}" * n,
    "calls": lambda n: "f(" * n + "1" + ")" * n,
    "keyword calls": lambda n: "f(a=" * n + "1" + ")" * n,
    "subscripts": lambda n: "a[" * n + "1" + "]" * n,
    "slices": lambda n: "a[" * n + ":" + "]" * n,
    "walruses": lambda n: "(a := " * n + "1" + ")" * n,
    "tuple targets": lambda n: "(" * n + "a" + ",)" * n + " = 1",
    "comprehensions": lambda n: "[" * n + "1" + " for a in b]" * n,
    "sum": lambda n: " + ".join(["a"] * n),
    "power": lambda n: " ** ".join(["a"] * n),
    "and": lambda n: " and ".join(["a"] * n),
    "mixed logic": lambda n: "(a or b and " * (n // 3) + "c" + ")" * (n // 3),
    "not": lambda n: "not " * n + "a",
    "minus": lambda n: "-" * n + "a",
    "attributes": lambda n: "a" + ".b" * n,
    "method chain": lambda n: "a" + ".b()" * n,
    "subscript chain": lambda n: "a" + "[0]" * n,
    "adjacent strings": lambda n: " ".join(["'a'"] * n),
    "adjacent strings on rows": lambda n: "(" + "\n".join(['"a"'] * n) + ")",
    "adjacent f-strings": lambda n: " ".join(["f'{a}'"] * n),
    "conditional expressions": lambda n: "a if b else " * n + "c",
    "lambdas": lambda n: "lambda: " * n + "c",
    "lambda defaults": lambda n: "lambda a=(" * n + "1" + "): 0" * n,
    "for clauses": lambda n: "[a " + "for a in b " * n + "]",
    "dotted import": lambda n: "import a" + ".a" * n,
    "dotted from": lambda n: "from a" + ".a" * n + " import b",
    "elif ladder": lambda n: "if a: b\n" + "elif a: b\n" * n,
    "union annotation": lambda n: "a: " + " | ".join(["int"] * n),
    "if blocks": lambda n: "".join(" " * i + "if a:\n" for i in range(n)) + " " * n + "pass",
    "pattern parentheses": lambda n: "match a:\n case " + "(" * n + "1" + ")" * n + ": pass",
    "pattern sequences": lambda n: "match a:\n case " + "[" * n + "1" + "]" * n + ": pass",
    "pattern mappings": lambda n: "match a:\n case " + "{1: " * n + "1" + "}" * n + ": pass",
    "pattern tuples": lambda n: "match a:\n case " + "(" * n + "1" + ",)" * n + ": pass",
    "pattern classes": lambda n: "match a:\n case " + "f(" * n + "1" + ")" * n + ": pass",
    "pattern under guard": lambda n: "match a:\n case 0: pass\n case " + "(" * n + "1" + ",)" * n + " if a: pass",
}
"""What nests for libcst; each takes how deep."""

FLAT: dict[str, Callable[[int], str]] = {
    "list": lambda n: "[" + "1, " * n + "]",
    "comparison": lambda n: " < ".join(["a"] * n),
    "assignment targets": lambda n: "a = " * n + "1",
    "statements on a row": lambda n: "; ".join(["a"] * n),
    "decorators": lambda n: "@a\n" * n + "def f(): pass",
    "except clauses": lambda n: "try: a\n" + "except a: b\n" * n,
    "blank rows": lambda n: "\n" * n + "a",
    "comments": lambda n: "(\n" + "#\n" * n + "a)",
    "continuations": lambda n: "a = \\\n" + "\\\n" * n + "1",
    "text full of quotes": lambda n: 'a = """' + 'it\'s \\"so\\" ' * n + '"""',
    "alternatives of a pattern": lambda n: "match a:\n case " + " | ".join(["1"] * n) + ": pass",
}
"""What is long but not deep: to be analysed whatever its size."""

BROKEN: dict[str, str] = {
    "nul": "a = 1\n\0",
    "lone surrogate": "a = '\ud800'\n",
    "integer of 10,000 digits": "a = " + "9" * 10_000,
    "unclosed string": 'a = """\n',
    "unclosed bracket": "a = (\n",
    "bad dedent": "if a:\n    b\n  c\n",
    "backslash at the end": "a = 1 \\",
    "no Python": "<html>\n",
    "python 2": "print 'loss'\n",
    "second byte order mark": "\ufeff\ufeffa = 1\n",
}
"""What is no Python 3, as text."""

HUGE = {
    **{name: build(20_000) for name, build in NESTED.items() if name != "if blocks"},
    "if blocks": NESTED["if blocks"](500),
    "parentheses that CPython takes": NESTED["parentheses"](190),
    "lists that CPython takes": NESTED["lists"](190),
    "sum of 10,000": NESTED["sum"](10_000),
    "sum that CPython takes": NESTED["sum"](800),
    "elif ladder of 5,000": NESTED["elif ladder"](5_000),
    "elif ladder that CPython takes": NESTED["elif ladder"](500),
    "pattern mappings of 12": NESTED["pattern mappings"](12),
}
