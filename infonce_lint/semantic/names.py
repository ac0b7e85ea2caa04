"""What names mean: batch sizes, configuration objects, losses and similarities, and the array libraries.

Names are evidence and never proof: `sizes/` and `losses/` combine them with flow and structure.
"""

from __future__ import annotations

import re
from functools import lru_cache

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_PROSE = re.compile(r"[\s\\]")

#: Words that name an object holding a run's configuration (argparse, yacs, omegaconf, absl, plain dictionaries).
CONFIG_WORDS = frozenset(
    "arg args cfg cfgs conf config configs configuration opt opts option options hparam hparams hp hps hyperparams "
    "hyperparameters hyper flag flags param params parameters setting settings kwargs loader dataloader constants "
    "const defaults environ datamodule".split()
)
#: What asks a configuration object for an entry by its name.
READERS = frozenset({"get", "getint", "get_int", "pop", "getattr", "get_value", "setdefault", "getenv"})
_BATCH_ENTRIES = frozenset({("batch",), ("batches",), ("train", "batch"), ("n", "batch")})
#: Words that turn a batch size into another quantity: a chunk stride, a test loader, a queue.
OTHER_SIZE_WORDS = frozenset("mini micro sub chunk minibatch microbatch queue memory bank buffer num steps".split())
#: Words of what a loss counts beside the rows of a batch.
_OTHER_COUNTS = OTHER_SIZE_WORDS | frozenset(
    "class classes cls cluster clusters label labels dim dims feature features feat channel channels hidden embed emb "
    "embedding embeddings proto protos prototype prototypes center centers centroid centroids view views augs crop "
    "crops head heads layer layers vocab token tokens seq sequence time frame frames patch patches pixel pixels point "
    "points node nodes user users item items way ways shot shots k neg negs negative negatives world gpu gpus rank "
    "device devices epoch epochs margin rate ratio weight eps alpha beta gamma lambda width height level levels".split()
)
SIZE_WORDS = frozenset({"bs", "bsz", "bsize", "batchsize", "nbatch", "batchsz"})

CONTRASTIVE_WORDS = frozenset(
    "xent ntxent nce infonce contrast contrastive contrasive simclr supcon moco mocov cpc dcl simcse supcontrast nt "
    "ntxentloss ntx supervisedcontrastive hsic siglip contraster constrastive contrasting dssm align alignment".split()
)
SIMILARITY_WORDS = frozenset("sim sims similarity similarities cosine cossim cos simi kernel affinity gram".split())
TEMPERATURE_WORDS = frozenset("temperature temp tau t temperatures logit scale".split())
CROSS_ENTROPY_WORDS = frozenset("crossentropy xent nll ce celoss softmaxcrossentropy nllloss".split())
LOSS_WORDS = CROSS_ENTROPY_WORDS | frozenset("criterion loss entropy objective criterions crit".split())

#: Methods that run while their object is built.
CONSTRUCTORS = frozenset({"__init__", "__new__", "__post_init__", "build", "setup"})

#: What some name around a loss contains before a size with a neutral name is tied to its rows.
LOSS_SPELLINGS = tuple(
    "loss Loss LOSS entropy Entropy xent Xent nll NLL crit Crit objective Objective contras Contras NCE Nce "
    "simclr Simclr simCLR SimCLR".split()
)
#: ``nce`` is one where it begins a word: it ends many others.
LOSS_STEMS = re.compile("|".join((*LOSS_SPELLINGS, "nce(?<![A-Za-z]nce)")))
REGRESSION_WORDS = frozenset({"mse", "l1", "l2", "huber", "mae", "smooth", "frobenius"})

#: First words of dotted paths that are array libraries, whatever the import calls them.
LIBRARIES = {
    "torch": "torch",
    "numpy": "numpy",
    "tensorflow": "tensorflow",
    "tf": "tensorflow",
    "keras": "tensorflow",
    "jax": "jax",
    "paddle": "paddle",
    "mindspore": "mindspore",
    "optax": "jax",
    "cupy": "numpy",
    "scipy": "numpy",
    "einops": "torch",
}
_PROCESS_COUNTS = frozenset({("ngpus",), ("num", "gpus"), ("n", "gpu"), ("num", "replicas"), ("device", "count")})

#: What fragments call the libraries by custom, for names that nothing in the file binds.
CUSTOMARY_LIBRARIES = frozenset("torch nn F np numpy tf jnp jax paddle mindspore ops P".split())


@lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """The lower-case words of a snake_case or camelCase name: ``"NTXentLoss"`` -> ``("nt", "xent", "loss")``.

    A string with blanks or escapes is no name and has none.
    """
    return () if _PROSE.search(name) else tuple(word.lower() for word in _WORDS.findall(name))


@lru_cache(maxsize=4096)
def is_size_name(name: str, extra: tuple[str, ...] = ()) -> bool:
    """Whether ``name`` reads as the number of samples in a batch: ``batch_size``, ``query_BS``, ``local_bsz``."""
    if name in extra:
        return True
    found = words(name)
    if not OTHER_SIZE_WORDS.isdisjoint(found):
        return False
    if not SIZE_WORDS.isdisjoint(found):
        return True
    if found[-2:] == ("per", "batch"):
        return True
    return "batch" in found and ("size" in found or "sz" in found or "samples" in found)


@lru_cache(maxsize=4096)
def is_config_size_name(name: str, extra: tuple[str, ...] = ()) -> bool:
    """Like `is_size_name`, for an entry of a configuration object, where ``batch`` alone says enough."""
    return is_size_name(name, extra) or words(name) in _BATCH_ENTRIES


def is_constant_size_name(name: str, extra: tuple[str, ...] = ()) -> bool:
    """Like `is_size_name`, for a constant: what ``BATCH`` is in capitals, ``batch`` is not."""
    return is_size_name(name, extra) or (name.isupper() and is_config_size_name(name))


@lru_cache(maxsize=4096)
def may_count_rows(name: str) -> bool:
    """Whether a neutral name (``n_org``, ``length``) leaves open that it is the number of samples in a batch."""
    found = words(name)
    return (
        bool(found) and _OTHER_COUNTS.isdisjoint(found) and not is_config_name(name) and not is_temperature_name(name)
    )


@lru_cache(maxsize=4096)
def is_config_name(name: str, extra: tuple[str, ...] = ()) -> bool:
    """Whether ``name`` reads as a configuration object: ``args``, ``self.hparams``, ``train_cfg``, ``FLAGS``."""
    return name in extra or not CONFIG_WORDS.isdisjoint(words(name))


@lru_cache(maxsize=4096)
def is_contrastive_name(name: str) -> bool:
    """Whether a function, class or criterion is named after a contrastive loss."""
    found = words(name)
    if "clip" in found and not {"loss", "criterion", "wrapper", "objective"}.isdisjoint(found):
        return True  # ``clip`` alone cuts values or gradients
    if not CONTRASTIVE_WORDS.isdisjoint(found) and found != ("nt",):
        return True
    joined = "".join(found)
    return any(part in joined for part in ("ntxent", "infonce", "simclr", "contrastive", "supcon", "patchnce"))


@lru_cache(maxsize=4096)
def is_contrastive_loss_name(name: str) -> bool:
    """Whether a callable of another file must be a contrastive loss by its name.

    Stricter than `is_contrastive_name`, which fits data sets, augmentations and models as well.
    """
    found = words(name)
    joined = "".join(found)
    if any(part in joined for part in ("ntxent", "ntbxent", "infonce", "supcon", "patchnce", "nceloss", "siglip")):
        return "dataset" not in joined and "loader" not in joined
    if not {"xent", "nce"}.isdisjoint(found):
        return True
    kind = {"contrastive", "contrast", "simclr", "moco", "clip", "cpc", "dcl", "contrasive", "constrastive", "hsic"}
    return not {"loss", "criterion", "objective"}.isdisjoint(found) and not kind.isdisjoint(found)


@lru_cache(maxsize=4096)
def is_similarity_name(name: str) -> bool:
    """Whether a function or variable is named after a similarity (misspellings included)."""
    found = words(name)
    return not SIMILARITY_WORDS.isdisjoint(found) or any(word.startswith("simil") for word in found)


@lru_cache(maxsize=4096)
def is_temperature_name(name: str) -> bool:
    """Whether a divisor of logits is named after the temperature."""
    return not TEMPERATURE_WORDS.isdisjoint(words(name))


@lru_cache(maxsize=4096)
def is_cross_entropy_name(name: str) -> bool:
    """Whether a callable computes a cross-entropy by its name."""
    found = words(name)
    return not CROSS_ENTROPY_WORDS.isdisjoint(found) or ("cross" in found and "entropy" in found)


@lru_cache(maxsize=4096)
def is_loss_name(name: str) -> bool:
    """Whether a callable is a loss by its name (``criterion``, ``self.loss``, ``CELoss``)."""
    return not LOSS_WORDS.isdisjoint(words(name)) or is_cross_entropy_name(name)


@lru_cache(maxsize=4096)
def is_world_size(name: str) -> bool:
    """Whether a name is the number of processes: ``world_size``, ``num_gpus``, ``device_count``."""
    found = words(name)
    return "world" in found or found in _PROCESS_COUNTS
