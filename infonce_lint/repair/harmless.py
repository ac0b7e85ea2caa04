"""Harmless uses of a batch size: what loads, schedules, counts or logs, and takes no part in the value of a loss."""

from __future__ import annotations

from collections.abc import Callable

from infonce_lint.semantic.graph.calls import called_class
from infonce_lint.semantic.graph.paths import path_text
from infonce_lint.semantic.graph.values import Function, Op, Value
from infonce_lint.semantic.graph.walk import walk
from infonce_lint.semantic.names import words
from infonce_lint.semantic.shapes.operations import Column, has

_LOADING = frozenset(
    "loader loaders dataloader dataloaders dataset datasets data sampler samplers datamodule iterator collate prefetch "
    "prefetcher shuffle generator".split()
)
_SCHEDULING = frozenset(
    "optimizer optimizers optim sgd adam adamw lars lamb scheduler schedulers schedule lr warmup annealing".split()
)
_LOGGING = frozenset(
    "print pprint log logs logger logging info debug warning warn error exception critical writer summary wandb mlflow "
    "tensorboard tqdm progress progressbar pbar meter meters metric metrics scalar scalars postfix description tracker "
    "dump dumps save mkdir makedirs path echo display argument parser experiment checkpoint".split()
)
_LEARNING = frozenset({"lr", "lrs", "warmup", "eta"})
_COUNTED = frozenset({"steps", "epochs", "iters", "iterations", "nsteps", "niters", "batches"})
#: What reads of a class's own size do there: draw batches, and keep averages of what was measured.
_OWNERS = frozenset(
    "dataset datasets sampler samplers loader dataloader datamodule meter averagemeter tracker logger writer "
    "iterator".split()
)
_SHOWING = frozenset({"__repr__", "__str__", "extra_repr", "__len__", "__format__"})
_TOTALS = frozenset("num n len data dataset samples images examples train total length count".split())
_DETACHING = frozenset({"item", "tolist", "detach", "numpy", "asscalar", "fetch"})
#: Code that gives a number for numbers, and nothing else.
PLAIN = frozenset(
    "int float round abs max min range len str bool isinstance type tuple list dict set sorted enumerate zip sum pow "
    "divmod ceil floor sqrt log log2 log10 exp log1p SimpleNamespace Namespace EasyDict format join split repr".split()
)
#: Modules whose functions take numbers only.
_NUMBERS = frozenset({"math", "fractions", "decimal", "operator", "argparse", "os", "types", "statistics"})


def is_plain(call: Value) -> bool:
    """Whether a call computes a number from numbers, or a display of what it is handed."""
    module = module_of(call)
    return module in _NUMBERS or (not module and call.name in PLAIN)


def module_of(call: Value) -> str:
    """The module whose function a call runs; empty where it is no imported one."""
    called = call.inputs[0]
    while called.op in (Op.ATTR, Op.NAME, Op.GLOBAL) and called.inputs and called.inputs[0] is not called:
        called = called.inputs[0]
    return called.name.lstrip(".").split(".")[0] if called.op is Op.IMPORT else ""


def is_idle_call(call: Value) -> bool:
    """Whether what a call is handed only loads data, sets the pace of the training, or is shown or kept on disk."""
    module = module_of(call)
    if module in ("math", "operator", "fractions"):
        return False
    if module in ("numpy", "torch", "jax", "tensorflow") and call.name in ("log", "save"):
        return call.name == "save"
    if call.name == "log" and any(user.op is Op.BINOP for user in call.users):
        return False
    said = _called_words(call)
    return (
        not said.isdisjoint(_LOADING | _SCHEDULING)
        or not said.isdisjoint(_LOGGING)
        or (call.name == "open" and not module)
        or (call.name == "batch" and call.inputs[0].op is Op.ATTR)
    )


def _called_words(call: Value) -> set[str]:
    """The words of what is called, of the object whose method it is, and of its class."""
    called = call.inputs[0]
    said = {*words(call.name)}
    if called.op is Op.ATTR:
        owner = called.inputs[0]
        said |= set(words(path_text(owner).rsplit(".", 1)[-1]))
        said |= {each for part in path_text(called).split(".")[:3] for each in words(part)} & _LOGGING
        built = owner
        for _ in range(8):
            if built.op is Op.CALL:
                said |= set(words(built.name))
                break
            if not built.inputs or built.op is Op.ATTR:
                break
            built = built.inputs[-1]
    elif called.op is not Op.NAME or not called.inputs or called.inputs[0].op is not Op.CLASS:
        said |= set(words(called_class(call) or ""))
    return said


def is_idle_keyword(keyword: str | None) -> bool:
    """Whether an argument of this name is a learning rate or a number of steps."""
    return keyword is not None and not (_LEARNING | _COUNTED).isdisjoint(words(keyword))


def is_learning_rate(name: str) -> bool:
    """Whether a variable or attribute keeps a learning rate or its warm-up."""
    return not _LEARNING.isdisjoint(words(name))


def is_idle_function(function: Function) -> bool:
    """Whether a function shows its object, or belongs to what draws batches or keeps averages."""
    inner: Function | None = function
    while inner is not None:
        if inner.name in _SHOWING:
            return True
        owner = inner.owner
        if owner is not None:
            names = [name for each in owner.lineage() for name in (each.name, *(base.name for base in each.bases))]
            if any(not _OWNERS.isdisjoint(words(name.rsplit(".", 1)[-1])) for name in names):
                return True
        inner = inner.parent
    return False


def gives_idle(function: Function) -> bool:
    """Whether what a function returns is a loader, an optimizer or a rate, by its name."""
    said = {*words(function.name)}
    return not said.isdisjoint((_LOADING | _SCHEDULING | _COUNTED) - {"data", "generator"})


def counts_steps(quotient: Value, size: Value) -> bool:
    """``len(data) // batch_size``: how many batches there are."""
    if quotient.name not in ("Divide", "FloorDivide") or len(quotient.inputs) < 2 or quotient.inputs[1] is not size:
        return False
    total = quotient.inputs[0]
    if total.op is Op.CONST:
        return quotient.name == "FloorDivide"
    if total.op is Op.CALL:
        return total.name == "len"
    return total.op not in (Op.BINOP, Op.UNARY, Op.PHI) and not _TOTALS.isdisjoint(words(total.name or total.bound))


def is_record(value: Value, is_number: Callable[[Value], bool]) -> bool:
    """Whether a number was taken out of the graph of gradients: ``loss.item() * n``, or a sum of such."""
    through = (Op.BINOP, Op.UNARY, Op.PHI, Op.STORE, Op.CLOSURE)
    behind = walk([value], lambda each: each.inputs if each.op in through and not _is_taken(each) else ())
    ends = [each for each in behind if each.op not in through or not each.inputs or _is_taken(each)]
    return any(map(_is_taken, ends)) and all(_is_taken(each) or each.op is Op.CONST or is_number(each) for each in ends)


def _is_taken(value: Value) -> bool:
    if value.op is Op.ATTR:
        return value.name == "data"
    if value.op is Op.SUB:
        return bool(value.inputs) and value.inputs[0].op is Op.ATTR and value.inputs[0].name == "data"
    return value.op is Op.CALL and detaches(value)


def detaches(call: Value) -> bool:
    """Whether a call gives a number, or a tensor without gradients, for a loss."""
    return call.name in _DETACHING or (has(call.name, Column.ENDS) and call.name not in PLAIN)
