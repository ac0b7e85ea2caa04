"""Roles: which products are similarities of a contrastive loss, what is made of them, which tensors they compare."""

from __future__ import annotations

import pytest

from infonce_lint.semantic.graph.calls import called_class, is_gather, is_library_call, option, receiver_of, tensor_of
from infonce_lint.semantic.graph.values import Value
from infonce_lint.semantic.losses.similarity import SELF, STORED, TOWERS
from tests.semantic.snippets import model_of, probed, probes

PREFIX = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n"

CONTRASTIVE = {
    "a tensor with its transpose, at a temperature": ("z @ z.T / temperature", SELF),
    "mm and t": ("F.log_softmax(torch.mm(z, z.t()), dim=1)", SELF),
    "matmul, as a method": ("torch.logsumexp(z.matmul(z.t()), 1)", SELF),
    "einsum": ("torch.einsum('nc,mc->nm', z, z).exp().log()", SELF),
    "cosine of all pairs": ("F.cosine_similarity(z.unsqueeze(1), z.unsqueeze(0), dim=2) / tau", SELF),
    "a module of cosines": ("nn.CosineSimilarity(dim=2)(z.unsqueeze(1), z.unsqueeze(0)) / tau", SELF),
    "two views of one call's result": ("F.cross_entropy(torch.cat([z, w]) @ torch.cat([z, w]).T, y)", SELF),
    "two towers and a cross-entropy": ("F.cross_entropy(z @ w.t(), y)", TOWERS),
    "two towers, exponentials and a temperature": ("torch.exp(z @ w.t() / temperature).sum()", TOWERS),
    "another file's similarity": ("torch.log(cosine_sim(z, w))", TOWERS),
    "a queue": ("F.cross_entropy(z @ self.queue / temperature, y)", STORED),
    "positives only": ("torch.log(torch.exp((z * w).sum(1) / temperature))", STORED),
}


@pytest.mark.parametrize("name", CONTRASTIVE)
def test_a_similarity_of_a_contrastive_loss(name: str) -> None:
    expression, strength = CONTRASTIVE[name]
    model = model_of(f"{PREFIX}def f(self, z, w, y, temperature, tau):\n    return {expression}")
    assert [each.strength for each in model.roles.similarities] == [strength]


OTHER = {
    "a linear layer": "F.cross_entropy(z @ self.weight, y)",
    "a style loss": "F.mse_loss(z @ z.t(), w @ w.t())",
    "an orthogonality penalty": "(z @ z.t()).sum()",
    "attention": "F.softmax(z @ w.t(), dim=1) @ w",
    "a product with a number": "F.log_softmax(torch.mm(z, 2), dim=1)",
    "a square": "torch.log((z * z).sum(1))",
    "no product": "F.cross_entropy(z, y)",
    "one operand": "torch.logsumexp(torch.norm(z), 1)",
}


@pytest.mark.parametrize("name", OTHER)
def test_no_similarity_of_a_contrastive_loss(name: str) -> None:
    model = model_of(f"{PREFIX}def f(self, z, w, y):\n    return {OTHER[name]}")
    assert model.roles.similarities == []


@pytest.mark.parametrize("owner", ["info_nce", "nt_xent_loss", "SimCLR", "supcon"])
def test_names_are_evidence(owner: str) -> None:
    assert model_of(f"def {owner}(z):\n    return (z @ z.T).sum()").roles.similarities
    assert not model_of("def penalty(z):\n    return (z @ z.T).sum()").roles.similarities


def test_names_alone_make_no_regression_contrastive() -> None:
    assert not model_of(f"{PREFIX}def nt_xent(z):\n    return F.mse_loss(z @ z.T, target)").roles.similarities


class TestCone:
    INSIDE = (
        "sim[mask]",
        "sim.view(2, -1)",
        "torch.exp(sim)",
        "-sim / t",
        "torch.cat([sim, other], 1)",
        "[sim, other]",
        "(sim, other)[0]",
        "other.masked_fill(mask, sim)",
        "nn.Softmax(dim=1)(sim)",
        "helper(sim)",
        "F.cross_entropy(sim, y)",
        "sim if mask else other",
        "[row for row in sim]",
    )
    OUTSIDE = (
        "sim.shape[0]",
        "sim.device",
        "sim.size(0)",
        "len(sim)",
        "torch.zeros_like(sim)",
        "other[sim]",
        "sim @ other",
        "self.encoder(sim)",
        "sim.new_zeros(3)",
        "other",
    )
    CODE = PREFIX + (
        "def helper(s):\n    return s * 2\n"
        "def info_nce(self, z, t, mask, other, y):\n    sim = z @ z.T / temperature\n    probe({})"
    )

    @pytest.mark.parametrize("expression", INSIDE)
    def test_what_is_computed_from_a_similarity(self, expression: str) -> None:
        model = model_of(self.CODE.format(expression))
        assert probed(model) in model.roles.cone

    @pytest.mark.parametrize("expression", OUTSIDE)
    def test_what_is_not(self, expression: str) -> None:
        model = model_of(self.CODE.format(expression))
        assert probed(model) not in model.roles.cone

    @pytest.mark.parametrize(
        ("expression", "is_reduced"),
        [("F.cross_entropy(sim, y)", True), ("sim.mean()", True), ("sim.mean(1)", False), ("torch.exp(sim)", False)],
    )
    def test_a_loss_value_is_told_from_a_matrix(self, expression: str, is_reduced: bool) -> None:
        model = model_of(self.CODE.format(expression))
        assert (probed(model) in model.roles.reduced) is is_reduced

    def test_a_loss_value_stays_one(self) -> None:
        model = model_of(self.CODE.format("sim.mean() * 2 + 1"))
        assert probed(model) in model.roles.reduced


class TestFeatures:
    @pytest.mark.parametrize(
        "steps",
        [
            "z",
            "F.normalize(z, dim=1)",
            "torch.cat([z, z.detach()], dim=0)",
            "z / z.norm(dim=1, keepdim=True)",
            "gather(z)",
            "GatherLayer.apply(z)",
            "z.view(2, -1, 8).transpose(0, 1)",
            "torch.cat(torch.unbind(z, dim=1), dim=0)",
            "project(z)",
        ],
    )
    def test_rows_are_followed_back_to_the_callers_tensor(self, steps: str) -> None:
        model = model_of(
            f"{PREFIX}def project(x):\n    return F.normalize(x)\n"
            f"def f(z, temperature):\n    probe(z)\n    h = {steps}\n    return h @ h.T / temperature"
        )
        read = probed(model)
        assert {read, read.inputs[0]} & model.roles.features

    def test_a_models_output_ends_the_way(self) -> None:
        model = model_of("def f(net, images, tau):\n    probe(images)\n    z = net(images)\n    return z @ z.T / tau")
        assert probed(model).inputs[0] not in model.roles.features

    def test_a_temperature_is_no_tensor_of_rows(self) -> None:
        model = model_of(
            "def f(z, logit_scale):\n    probe(logit_scale)\n    h = z * logit_scale\n    return (h @ h.T).log()"
        )
        assert probed(model).inputs[0] not in model.roles.features


class TestForeignLosses:
    @pytest.mark.parametrize(
        ("call", "is_loss"),
        [
            ("NTXentLoss(0.5)", True),
            ("info_nce_loss(z, y)", True),
            ("criterion.contrastive_loss(z, y)", True),
            ("SupConLoss(0.5)(z, y)", True),
            ("ContrastiveDataset(z)", False),
            ("SimCLR(z)", False),
            ("torch.contrastive_loss(z)", False),
            ("clip_grad_norm_(z)", False),
        ],
    )
    def test_a_loss_of_another_file_is_known_by_its_name(self, call: str, is_loss: bool) -> None:
        model = model_of(f"import torch\ndef f(z, y):\n    {call}")
        assert bool(model.roles.loss_calls) is is_loss

    def test_a_loss_of_this_file_is_no_foreign_one(self) -> None:
        assert not model_of("def info_nce(z):\n    return z\ninfo_nce(x)").roles.loss_calls

    def test_its_construction_is_told_from_its_use(self) -> None:
        model = model_of("def f(z, y):\n    criterion = NTXentLoss(8)\n    criterion(z, y)")
        assert [model.roles.constructs_loss(call) for call in model.roles.loss_calls] == [True, False]

    def test_its_arguments_are_features(self) -> None:
        model = model_of("def f(net, x):\n    z = net(x)\n    probe(z)\n    info_nce_loss(z)")
        assert probed(model) in model.roles.features


class TestCalls:
    def call(self, expression: str) -> Value:
        model = model_of(f"{PREFIX}import numpy as np\nfrom torch import cat as join\ndef f(x):\n    {expression}")
        return next(each for each in reversed(model.module.values) if each.op == "call")

    def test_methods_and_functions_work_on_the_same_tensor(self) -> None:
        for expression in ("x.chunk(2, 0)", "torch.chunk(x, 2, 0)", "torch.chunk(input=x, chunks=2)"):
            tensor = tensor_of(self.call(expression))
            assert tensor is not None and tensor.name == "x"

    def test_options_are_counted_after_the_tensor(self) -> None:
        for expression in ("x.chunk(2, 1)", "torch.chunk(x, 2, 1)", "x.chunk(2, dim=1)"):
            axis = option(self.call(expression), 1, "dim")
            assert axis is not None and axis.literal == 1

    def test_a_librarys_function_has_no_receiver(self) -> None:
        assert receiver_of(self.call("torch.chunk(x, 2)")) is None
        assert receiver_of(self.call("x.chunk(2)")) is not None

    @pytest.mark.parametrize(
        ("expression", "is_library"),
        [("np.eye(3)", True), ("F.relu(x)", True), ("join([x])", True), ("x.relu()", False), ("model(x)", False)],
    )
    def test_the_array_libraries(self, expression: str, is_library: bool) -> None:
        assert is_library_call(self.call(expression)) is is_library

    def test_customary_names_count_where_nothing_binds_them(self) -> None:
        (call,) = probes(model_of("def f(n):\n    tf.probe(n)"))
        assert is_library_call(call)
        (call,) = probes(model_of("def f(n, tf):\n    tf.probe(n)"))
        assert not is_library_call(call)

    def test_an_instance_is_known_by_its_class(self) -> None:
        assert called_class(self.call("nn.CosineSimilarity(dim=2).cuda()(x, x)")) == "CosineSimilarity"
        assert called_class(self.call("x.view(2)")) is None

    @pytest.mark.parametrize("expression", ["all_gather(x)", "GatherLayer.apply(x)", "hvd.allgather(x)", "x.gather(x)"])
    def test_gathers(self, expression: str) -> None:
        assert is_gather(self.call(expression))

    def test_other_functions_gather_nothing(self) -> None:
        assert not is_gather(self.call("Function.apply(x)"))
