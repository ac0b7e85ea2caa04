"""Origins: which reads of a configured batch size decide an integer, and which integers are a tensor's own."""

from __future__ import annotations

import pytest

from infonce_lint.settings import Settings
from tests.semantic.snippets import is_shape, model_of, probed, sources

CONFIGURED = {
    "an entry of args": ("def f(args):\n    probe(args.batch_size)", "args.batch_size"),
    "batch alone is enough in a configuration": ("def f(opt):\n    probe(opt.batch)", "opt.batch"),
    "a nested configuration": ("def f(cfg):\n    probe(cfg.TRAIN.BATCH_SIZE)", "cfg.TRAIN.BATCH_SIZE"),
    "a dictionary": ("def f(config):\n    probe(config['batch_size'])", 'config["batch_size"]'),
    "self.hparams": ("class A:\n    def f(self):\n        probe(self.hparams.bs)", "self.hparams.bs"),
    "getattr": ("def f(args):\n    probe(getattr(args, 'batch_size'))", 'getattr(args, "batch_size")'),
    "get with a default": ("def f(cfg):\n    probe(cfg.get('batch_size', 8))", 'cfg.get("batch_size", 8)'),
    "vars": ("def f(args):\n    probe(vars(args)['batch_size'])", 'vars(args)["batch_size"]'),
    "a parser's result": ("a = p.parse_args()\nprobe(a.batch_size)", "a.batch_size"),
    "a class of constants": ("class Config:\n    batch_size = 8\nprobe(Config.batch_size)", "Config.batch_size"),
    "a loader's batch size": ("def f(loader):\n    probe(loader.batch_size)", "loader.batch_size"),
    "a module constant": ("BATCH_SIZE = 8\ndef f():\n    probe(BATCH_SIZE)", "BATCH_SIZE"),
    "an imported constant": ("from config import BATCH_SIZE\ndef f():\n    probe(BATCH_SIZE)", "BATCH_SIZE"),
    "imported in the function": ("def f():\n    from config import BATCH_SIZE\n    probe(BATCH_SIZE)", "BATCH_SIZE"),
    "a star import": ("from config import *\ndef f():\n    probe(BATCH_SIZE)", "BATCH_SIZE"),
    "an attribute set elsewhere": ("class A:\n    def f(self):\n        probe(self.batch_size)", "self.batch_size"),
    "a literal on self": (
        "class A:\n    def __init__(self):\n        self.bs = 112\n    def f(self):\n        probe(self.bs)",
        "self.bs",
    ),
    "a class attribute": (
        "class A:\n    batch_size = 8\n    def f(self):\n        probe(self.batch_size)",
        "self.batch_size",
    ),
    "an attribute of another name": (
        "class A:\n    def __init__(self, opt):\n        self.n = opt.batch\n    def f(self):\n        probe(self.n)",
        "self.n",
    ),
    "a constructor's parameter": (
        "class A:\n    def __init__(self, batch_size):\n        probe(batch_size)",
        "batch_size",
    ),
    "a parameter by what is passed": (
        "class A:\n    def __init__(self, n):\n        probe(n)\nA(args.batch_size)",
        "n",
    ),
    "kept in a dictionary": ("def f(args):\n    d = {'n': args.batch_size}\n    probe(d['n'])", 'd["n"]'),
}


@pytest.mark.parametrize("name", CONFIGURED)
def test_a_configured_read(name: str) -> None:
    code, read = CONFIGURED[name]
    assert sources(code) == {read}


DERIVED = [
    "2 * args.batch_size",
    "args.batch_size // 2 + 1",
    "-args.batch_size",
    "int(args.batch_size)",
    "torch.tensor(args.batch_size)",
    "max(args.batch_size, 4)",
    "(args.batch_size, args.batch_size)",
    "args.batch_size if flag else 4",
    "args.batch_size or 4",
    "(n := args.batch_size)",
    "[args.batch_size, 3][0]",
    "helper(args.batch_size)",
    "helper(args.batch_size) * n_views",
]


@pytest.mark.parametrize("expression", DERIVED)
def test_sizes_are_followed_through_expressions(expression: str) -> None:
    code = f"def helper(n):\n    return n * 2\ndef f(args, flag, n_views):\n    probe({expression})"
    assert sources(code) == {"args.batch_size"}


FOLLOWED = {
    "an alias": "bs = args.batch_size\n    probe(bs)",
    "tuple unpacking": "a, b = 1, args.batch_size\n    probe(b)",
    "a helper's tuple": "a, b = pair(args)\n    probe(b)",
    "a branch": "n = 4\n    if flag:\n        n = args.batch_size\n    probe(n)",
    "a closure": "n = args.batch_size\n    def g():\n        probe(n)\n    g()",
    "a parameter": "inner(args.batch_size)",
    "a keyword": "inner(n=args.batch_size)",
    "a default": "def g(n=args.batch_size):\n        probe(n)\n    g()",
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_sizes_are_followed_through_statements(name: str) -> None:
    helpers = "def pair(args):\n    return 1, args.batch_size\n"
    if "inner" in FOLLOWED[name]:
        helpers += "def inner(n):\n    probe(n)\n"
    assert sources(f"{helpers}def f(args, flag):\n    {FOLLOWED[name]}") == {"args.batch_size"}


UNCONFIGURED = {
    "a literal": "probe(8)",
    "a plain parameter": "probe(batch_size)",
    "a numeric default": "def g(batch_size=8):\n        probe(batch_size)",
    "the tensor's rows": "probe(z.shape[0])",
    "a local of a telling name": "BATCH_SIZE = z.size(0)\n    probe(BATCH_SIZE)",
    "another entry": "probe(args.world_size)",
    "a mini-batch's stride": "probe(args.mini_batch_size)",
    "the queue": "probe(args.queue_size)",
    "an object that configures nothing": "probe(z.batch_size)",
    "the smaller of both": "probe(min(args.batch_size, len(z)))",
    "recomputed on a difference": "n = args.batch_size\n    if n != len(z):\n        n = len(z)\n    probe(n)",
    "a string": "probe('batch_size')",
}


@pytest.mark.parametrize("name", UNCONFIGURED)
def test_what_is_not_configured(name: str) -> None:
    assert sources(f"def f(args, z, batch_size):\n    {UNCONFIGURED[name]}") == set()


class TestAttributes:
    def test_set_from_a_shape_anywhere_in_the_class(self) -> None:
        code = """
        class A:
            def __init__(self, batch_size):
                self.batch_size = batch_size
            def f(self):
                probe(self.batch_size)
            def g(self, z):
                self.batch_size = z.shape[0]
        """
        assert sources(code) == set()

    def test_set_from_a_shape_from_outside(self) -> None:
        code = """
        class A:
            def __init__(self, batch_size):
                self.batch_size = batch_size
            def f(self):
                probe(self.batch_size)
        def train(loss, z):
            loss.batch_size = z.shape[0]
        """
        assert sources(code) == set()

    def test_a_property_speaks_for_itself(self) -> None:
        code = "class A:\n    @property\n    def bs(self):\n        return 3\n    def f(self):\n        probe(self.bs)"
        assert sources(code) == set()

    def test_none_says_nothing(self) -> None:
        code = "class A:\n    def __init__(self):\n        self.bs = None\n    def f(self):\n        probe(self.bs)"
        assert sources(code) == {"self.bs"}

    def test_a_subclass_stores_the_shape(self) -> None:
        code = """
        class A:
            def f(self):
                probe(self.batch_size)
        class B(A):
            def g(self, z):
                self.batch_size = len(z)
        """
        assert sources(code) == set()


class TestConstructors:
    CLASS = "class A:\n    def __init__(self, batch_size):\n        probe(batch_size)\n"

    def test_nobody_constructs_it(self) -> None:
        assert sources(self.CLASS) == {"batch_size"}

    def test_every_construction_passes_a_shape(self) -> None:
        assert sources(self.CLASS + "def f(z):\n    A(z.shape[0])\n    A(len(z))") == set()

    def test_one_construction_passes_a_literal(self) -> None:
        assert sources(self.CLASS + "def f(z):\n    A(z.shape[0])\n    A(8)") == {"batch_size"}


class TestParameters:
    def test_only_some_callers_pass_a_configured_size(self) -> None:
        code = "def g(n):\n    probe(n)\ndef a(args):\n    g(args.batch_size)\ndef b(z):\n    g(len(z))"
        assert sources(code) == {"args.batch_size"}

    def test_all_callers_pass_a_shape(self) -> None:
        code = "def g(batch_size):\n    probe(batch_size)\ndef b(z):\n    g(len(z))"
        assert sources(code) == set()
        assert is_shape(code)

    def test_a_default_that_every_caller_fills(self) -> None:
        code = """
        class A:
            def g(self, n=None):
                if n is None:
                    n = self.batch_size
                probe(n)
            def f(self, z):
                self.g(len(z))
        """
        assert sources(code) == set()

    def test_a_default_that_some_caller_needs(self) -> None:
        code = """
        class A:
            def g(self, n=None):
                if n is None:
                    n = self.batch_size
                probe(n)
            def f(self, z):
                self.g(len(z))
                self.g()
        """
        assert sources(code) == {"self.batch_size"}


SHAPES = [
    "z.shape[0]",
    "z.size(0)",
    "z.size()[0]",
    "len(z)",
    "tf.shape(z)[0]",
    "z.shape[0] // 2",
    "2 * len(z)",
    "int(z.shape[0])",
    "(z.shape[0] if flag else len(z))",
]


@pytest.mark.parametrize("expression", SHAPES)
def test_a_tensors_own_size(expression: str) -> None:
    assert is_shape(f"def f(z, flag):\n    probe({expression})")


@pytest.mark.parametrize(
    "expression", ["8", "n", "args.batch_size", "len(z) * args.batch_size", "z", "z if n else len(z)"]
)
def test_no_tensors_own_size(expression: str) -> None:
    assert not is_shape(f"def f(z, n, args):\n    probe({expression})")


def test_module_constants_follow_their_last_binding() -> None:
    assert sources("BATCH_SIZE = 8\nBATCH_SIZE = data.shape[0]\ndef f():\n    probe(BATCH_SIZE)") == set()
    assert sources("BATCH_SIZE = data.shape[0]\nBATCH_SIZE = 8\ndef f():\n    probe(BATCH_SIZE)") == {"BATCH_SIZE"}


def test_settings_add_names() -> None:
    code = "def f(experiment):\n    probe(experiment.n_pairs)"
    assert sources(code) == set()
    assert sources(code, Settings(config_names=("experiment",), size_names=("n_pairs",))) == {"experiment.n_pairs"}


def test_a_size_that_feeds_on_itself_comes_to_an_end() -> None:
    assert sources("def f(args):\n    n = args.batch_size\n    while n > 1:\n        n = n // 2\n    probe(n)") == {
        "args.batch_size"
    }
    assert sources("def f(n):\n    probe(n)\n    f(n)") == set()


def test_the_story_begins_at_the_configuration() -> None:
    model = model_of(
        """
        class Loss:
            def __init__(self, args):
                self.args = args
                self.bs = args.batch_size
            def forward(self, z):
                probe(self.bs)
        """
    )
    assert model.origins.story(probed(model)) == (
        "`args.batch_size` is read from the configuration",
        "`self.bs` is set in `Loss.__init__` from `args.batch_size`",
    )


def test_a_constructors_parameter_is_known_by_the_attribute_that_keeps_it() -> None:
    model = model_of(
        "class A:\n    def __init__(self, batch_size):\n        self.bs = batch_size\n        probe(batch_size)"
    )
    assert model.origins.slots_of(probed(model)) == {"self.bs"}


class TestComparisons:
    @pytest.mark.parametrize(
        ("test", "keys"),
        [
            ("self.batch_size == z.shape[0]", {"self.batch_size"}),
            ("len(z) != 2 * self.batch_size", {"self.batch_size"}),
            ("not (z.size(0) == self.batch_size and flag)", {"self.batch_size"}),
            ("self.mask.shape[0] != z.shape[0]", {"self.mask"}),
            ("self.batch_size > 4", set()),
            ("z.shape[0] > 4", set()),
            ("flag", set()),
        ],
    )
    def test_what_a_test_compares_with_a_shape(self, test: str, keys: set[str]) -> None:
        model = model_of(f"class A:\n    def f(self, z, flag):\n        probe({test})")
        assert model.origins.size_keys(probed(model)) == keys


class TestEntriesOfObjects:
    """A store to ``self.args.batch_size`` is a binding of that path, and of no other."""

    READ = "class Loss:\n    def f(self, x):\n        {}\n        probe(self.args.batch_size)\n"

    @pytest.mark.parametrize(
        "store",
        ["self.args.batch_size = x.shape[0] // 2", "self.args['batch_size'] = len(x)", "self.args.batch_size //= 2"],
    )
    def test_a_read_sees_the_last_store(self, store: str) -> None:
        expected = {"self.args.batch_size"} if "//=" in store else set()
        assert sources(self.READ.format(store)) == expected

    def test_a_read_sees_what_another_method_stored(self) -> None:
        code = self.READ.format("pass") + "    def g(self, x):\n        self.args.batch_size = x.shape[0]\n"
        assert sources(code) == set()

    def test_an_entry_of_another_object_is_another_entry(self) -> None:
        assert sources(self.READ.format("other.args.batch_size = x.shape[0]")) == {"self.args.batch_size"}

    def test_a_name_bound_anew_has_no_entries_of_the_old_object(self) -> None:
        code = "def f(x, args):\n    args.bs = len(x)\n    args = load()\n    probe(args.bs)"
        assert sources(code) == {"load().bs"}

    def test_a_caller_stores_before_it_hands_the_object_on(self) -> None:
        code = "def f(cfg):\n    probe(cfg.bs)\ndef g(c, x):\n    c.bs = x.shape[0]\n    f(c)"
        assert sources(code) == set()

    def test_an_entry_of_the_module_is_seen_in_functions(self) -> None:
        assert sources("def f():\n    probe(cfg['bs'])\ndef g(x):\n    cfg['bs'] = x.size(0)") == set()

    def test_an_entry_carries_what_was_stored_under_any_name(self) -> None:
        assert sources("def f(c, args):\n    c.rows = args.batch_size\n    probe(c.rows)") == {"c.rows"}

    ATTRIBUTE = (
        "class Loss:\n    def __init__(self, batch_size):\n        self.bs = batch_size\n"
        "    def f(self):\n        probe(self.bs)\n"
    )

    @pytest.mark.parametrize("owner", ["loss = Loss(8)\n", "", "def run(criterion, x):\n    loss = criterion\n"])
    def test_a_store_on_an_instance_is_one_of_its_class(self, owner: str) -> None:
        name = "loss" if owner.startswith("loss") else "criterion"
        assert sources(self.ATTRIBUTE + owner + f"def train(x, criterion):\n    {name}.bs = x.shape[0]\n") == set()

    def test_a_store_on_something_else_says_nothing_of_the_class(self) -> None:
        assert sources(self.ATTRIBUTE + "def forward(ctx, x):\n    ctx.bs = x.shape[0]\n") == {"self.bs"}


class TestGlobalStatements:
    def test_a_global_set_by_a_function_that_is_called_with_a_number(self) -> None:
        code = "BS = 0\ndef setup(n):\n    global BS\n    BS = n\nsetup(8)\ndef f():\n    probe(BS)"
        assert sources(code) == {"BS"}

    def test_a_global_set_from_a_tensor_on_some_way_is_no_constant(self) -> None:
        code = "BS = 8\ndef step(x):\n    global BS\n    BS = x.shape[0]\ndef f():\n    probe(BS)"
        assert sources(code) == set()
