"""Proof of fixes: right repairs are proven, careless ones are not, and the defect is shown first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")

from infonce_lint.engine.linter import fix_bytes, lint_bytes
from infonce_lint.settings import Settings
from infonce_lint.verify.proof import Proof, SiteProof, prove_fix
from infonce_lint.verify.worker import Worker
from tests.fixture_cases import FIXTURES, name_of, rule_fixtures
from tests.verify.samples import IMPORTS, INLINED, TRAINER

RULES = FIXTURES / "rules"
OTHER_FRAMEWORKS = ("import tensorflow", "import jax", "import mindspore", "import paddle")
#: Its author asserts the configured size after the loss, so that no repair of sizes lets another batch through.
REFUSING = "rules/configured-labels/assert_after_use.py"
EXAMPLES = [
    "configured-labels/simclr_args_n_views.py",
    "configured-labels/clip_in_training_loop.py",
    "configured-labels/closure_loss.py",
    "configured-labels/vars_of_args.py",
    "configured-labels/literal_kept_on_self.py",
    "configured-mask/debiased_train_function.py",
    "configured-normaliser/constant_twice_batch.py",
    "configured-reshape/split_before_criterion.py",
    "configured-reshape/numpy_halves.py",
    "frozen-size/mask_helper_without_argument.py",
    "frozen-size/registered_buffer.py",
]


def repaired(data: bytes, path: str) -> bytes:
    return fix_bytes(data, path, Settings(), unsafe=True).data


def proof_of(text: str, fixed: str, worker: Worker) -> Proof:
    return prove_fix("/project/losses.py", text.encode(), fixed.encode(), Settings(), worker)


def only(proof: Proof) -> SiteProof:
    (found,) = proof.sites
    return found


#: What --prove withholds though the fix is right (`tests/execution` runs these): inputs that it cannot make up.
NOT_PROVEN = {
    "rules/configured-labels/views_from_configuration_sum.py": "multi_crop_nce: TypeError",
    "rules/configured-mask/broadcast_distances.py": "overlap_logits: it returns inf",
    "rules/configured-mask/helper_of_another_file.py": "info_nce: it needs helpers.warm_up",
}


def check_fixture(path: Path, worker: Worker) -> None:
    data = path.read_bytes()
    fixed = repaired(data, str(path))
    if fixed == data:
        pytest.skip("it has no automatic fix")
    proof = prove_fix(str(path), data, fixed, Settings(), worker)
    if name_of(path) in NOT_PROVEN:
        assert not proof.proven
        assert NOT_PROVEN[name_of(path)] in proof.message
        return
    assert proof.proven is (name_of(path) != REFUSING), proof.message
    shown = [each.reproduced for each in proof.sites if each.reproduced]
    assert shown
    assert all(each.startswith("configured 8, given ") for each in shown)


@pytest.mark.parametrize("fixture", EXAMPLES)
def test_repair_of_a_fixture_is_proven(fixture: str, worker: Worker) -> None:
    check_fixture(RULES / fixture, worker)


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        path
        for path in rule_fixtures()
        if name_of(path).removeprefix("rules/") not in EXAMPLES
        and not any(each in path.read_text(encoding="utf-8") for each in OTHER_FRAMEWORKS)
    ],
    ids=name_of,
)
def test_repair_of_every_other_fixture_is_proven(path: Path, worker: Worker) -> None:
    check_fixture(path, worker)


def test_words_of_the_proof(worker: Worker) -> None:
    proof = proof_of(TRAINER, repaired(TRAINER.encode(), "losses.py").decode(), worker)
    assert only(proof).reproduced == "configured 8, given 5: IndexError: mask [16, 16], tensor [10, 10]"
    assert proof.message == "Trainer.info_nce: same value at 8, value of a configured 5 at 5"


def test_silently_wrong_value_is_reproduced(worker: Worker) -> None:
    text = IMPORTS + (
        "\n\ndef nce_loss(a, b, args):\n"
        "    logits = F.normalize(a, dim=1) @ F.normalize(b, dim=1).t() / args.temperature\n"
        "    per_row = torch.logsumexp(logits, dim=1) - logits.diagonal()\n"
        "    return per_row.sum() / args.batch_size\n"
    )
    proof = proof_of(text, text.replace("args.batch_size", "a.shape[0]"), worker)
    assert proof.proven
    assert "where a loss configured for 5 gives" in only(proof).reproduced


def test_loss_in_a_loop_is_cut_out_and_proven(worker: Worker) -> None:
    proof = proof_of(INLINED, repaired(INLINED.encode(), "losses.py").decode(), worker)
    assert proof.proven, proof.message
    site = only(proof).site
    assert (site.title, site.name, site.features) == ("train", "loss_of_train", ("out_1", "out_2"))


def _half(text: str) -> str:
    return text.replace("self.args.batch_size", "len(features)")


def _wrong_axis(text: str) -> str:
    return text.replace("self.args.batch_size", "(features.shape[1] // self.args.n_views)")


def _other_value(text: str) -> str:
    fixed = text.replace("self.args.batch_size", "(len(features) // self.args.n_views)")
    return fixed.replace("logits / self.args.temperature", "logits")


def _constant(text: str) -> str:
    return text.replace("self.args.batch_size", "8")


@pytest.mark.parametrize("careless", [_half, _wrong_axis, _other_value, _constant])
def test_careless_repair_is_not_proven(careless: Callable[[str], str], worker: Worker) -> None:
    proof = proof_of(TRAINER, careless(TRAINER), worker)
    assert not proof.proven
    assert "fixed, it gives" in proof.message


def test_right_repair_by_hand_is_proven(worker: Worker) -> None:
    right = TRAINER.replace("self.args.batch_size", "(len(features) // self.args.n_views)")
    assert proof_of(TRAINER, right, worker).proven


def test_unrepaired_file_proves_nothing(worker: Worker) -> None:
    proof = proof_of(TRAINER, TRAINER + "\n# only a comment\n", worker)
    assert not proof.proven
    assert proof.message == "no loss is repaired"


def test_loss_that_cannot_be_run_is_not_proven(worker: Worker) -> None:
    text = TRAINER.replace(
        "similarity = features @ features.T", "similarity = features @ self.head.weight @ features.T"
    )
    fixed = text.replace("self.args.batch_size", "(len(features) // self.args.n_views)")
    assert lint_bytes(text.encode(), "losses.py", Settings())
    proof = proof_of(text, fixed, worker)
    assert not proof.proven
    assert "it needs self.head.weight" in proof.message


MANY_VIEWS = IMPORTS + (
    "\n\ndef nt_xent(features, args):\n"
    "    z = F.normalize(features, dim=1)\n"
    "    ids = torch.arange(args.batch_size).repeat(args.n_views)\n"
    "    own = torch.eye(len(z), dtype=torch.bool)\n"
    "    close = (ids[:, None] == ids[None, :]) & ~own\n"
    "    share = F.log_softmax((z @ z.T / args.temperature).masked_fill(own, -1e4), dim=1)\n"
    "    return -((share * close).sum(1) / close.sum(1)).mean()\n"
)


def test_a_fix_that_changes_the_value_at_other_view_counts_is_not_proven(worker: Worker) -> None:
    right = MANY_VIEWS.replace("args.batch_size", "len(z) // args.n_views")
    assert only(proof_of(MANY_VIEWS, right, worker)).proven
    found = only(proof_of(MANY_VIEWS, MANY_VIEWS.replace("args.batch_size", "len(z) // 2"), worker))
    assert not found.proven
    assert found.message.startswith("fixed, it gives ")
    assert " at 3 views, where " in found.message
