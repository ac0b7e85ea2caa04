"""Frozen tensors and helpers: rebuilt in the loss when the rows differ, or given a size argument."""

from __future__ import annotations

import pytest

from tests.repair.snippets import is_safe, new_rows, refusal, repaired

FROZEN = """
class Loss:
    def __init__(self, batch_size, temperature):
        self.temperature = temperature
        self.mask = {built}

    def forward(self, z_i, z_j):
        z = torch.cat([z_i, z_j])
        sim = z @ z.T / self.temperature
        return torch.logsumexp(sim[self.mask], dim=0)
"""


class TestStoredTensors:
    def test_the_stored_tensor_serves_while_its_rows_fit(self) -> None:
        code = FROZEN.format(built="~torch.eye(2 * batch_size, dtype=torch.bool)")
        rows = new_rows(code)
        assert rows[0].startswith("assert z.shape[0] % 2 == 0")
        assert rows[1:] == [
            "actual_batch_size = z.shape[0] // 2",
            "mask = self.mask",
            "if mask.shape[0] != z.shape[0]:",
            "mask = (~torch.eye(2 * actual_batch_size, dtype=torch.bool)).to(z_i.device, mask.dtype)",
            "return torch.logsumexp(sim[mask], dim=0)",
        ]
        assert is_safe(code)

    def test_the_constructor_stays_as_it_is(self) -> None:
        code = FROZEN.format(built="~torch.eye(2 * batch_size, dtype=torch.bool)")
        text = repaired(code)
        assert "def __init__(self, batch_size, temperature):" in text
        assert "self.mask = ~torch.eye(2 * batch_size, dtype=torch.bool)" in text

    def test_other_parameters_become_attributes(self) -> None:
        code = FROZEN.format(built="torch.full((2 * batch_size, 2 * batch_size), temperature) > 0")
        assert any("self.temperature" in row for row in new_rows(code) if row.startswith("mask = "))

    def test_a_taken_name_gets_a_number(self) -> None:
        code = FROZEN.format(built="~torch.eye(2 * batch_size, dtype=torch.bool)").replace("z_j):", "z_j, mask=None):")
        assert "mask_2 = self.mask" in new_rows(code)

    def test_a_registered_buffer(self) -> None:
        code = FROZEN.format(built="0").replace(
            "self.mask = 0", "self.register_buffer('mask', ~torch.eye(2 * batch_size, dtype=torch.bool))"
        )
        assert "mask = self.mask" in new_rows(code)

    @pytest.mark.parametrize(
        ("built", "reason"),
        [
            ("~torch.eye(2 * batch_size + offset).bool()", "no tensor with the batch's rows is bound"),
            ("~torch.eye(n).bool()", "several steps"),
        ],
    )
    def test_what_cannot_be_written_in_the_loss(self, built: str, reason: str) -> None:
        code = FROZEN.format(built=built).replace("temperature\n", "temperature\n        n = 2 * batch_size\n", 1)
        assert reason in refusal(code)

    def test_built_in_several_steps(self) -> None:
        code = FROZEN.format(built="mask").replace(
            "        self.mask = mask", "        mask = torch.eye(2 * batch_size).bool()\n        self.mask = ~mask"
        )
        assert "several steps" in refusal(code)

    def test_a_parameter_that_is_not_kept(self) -> None:
        code = FROZEN.format(built="~torch.eye(2 * batch_size, device=device).bool()").replace(
            "temperature):", "temperature, device):"
        )
        assert "does not keep `device`" in refusal(code)

    def test_built_at_module_level(self) -> None:
        code = """
        BATCH_SIZE = 8
        MASK = ~torch.eye(BATCH_SIZE).bool()
        def loss(z):
            sim = (z @ z.T).exp()
            return sim[MASK].log().mean()
        """
        assert "module level" in refusal(code)

    def test_a_default_argument(self) -> None:
        code = """
        class Loss:
            def __init__(self, batch_size):
                def make(mask=torch.eye(batch_size).bool()):
                    return mask
                self.make = make
            def forward(self, z):
                sim = (z @ z.T).exp()
                return sim[~self.make()].log().mean()
        """
        assert "default argument or a cache" in refusal(code)


HELPER = """
class Loss:
    def __init__(self, batch_size):
        self.batch_size = batch_size

    def make({parameters}):
        {body}

    def forward(self, z_i, z_j):
        z = torch.cat([z_i, z_j])
        sim = (z @ z.T).exp()
        return sim[{call}].log().mean()
"""
EYE = "return ~torch.eye(2 * self.batch_size).bool()"


class TestShapes:
    def test_a_mask_of_other_columns_contradicts_the_similarity(self) -> None:
        code = FROZEN.format(built="torch.full((2 * batch_size, 2), temperature) > 0")
        assert "disagree on what it counts (z_i.shape[0] + z_j.shape[0] == 2 as well)" in refusal(code)


class TestHelpers:
    def test_a_helper_gains_a_size_with_the_old_one_as_default(self) -> None:
        code = HELPER.format(parameters="self", body=EYE, call="self.make()")
        rows = new_rows(code)
        assert rows[:4] == [
            "def make(self, batch_size=None):",
            "if batch_size is None:",
            "batch_size = self.batch_size",
            "return ~torch.eye(2 * batch_size).bool()",
        ]
        assert rows[4].startswith("assert z.shape[0] % 2 == 0")
        assert rows[5:] == [
            "actual_batch_size = z.shape[0] // 2",
            "return sim[self.make(batch_size=actual_batch_size)].log().mean()",
        ]
        assert is_safe(code)

    def test_it_keeps_its_parameters(self) -> None:
        code = HELPER.format(parameters="self, flag", body=EYE, call="self.make(True)")
        rows = new_rows(code)
        assert "def make(self, flag, batch_size=None):" in rows
        assert "return sim[self.make(True, batch_size=actual_batch_size)].log().mean()" in rows

    def test_the_default_follows_the_docstring(self) -> None:
        code = HELPER.format(parameters="self", body=f'"""The mask."""\n        {EYE}', call="self.make()")
        text = repaired(code)
        assert '"""The mask."""\n        if batch_size is None:' in text

    def test_the_default_stands_before_a_decorator(self) -> None:
        body = "@cached\n        def side():\n            return 2\n        " + EYE
        text = repaired(HELPER.format(parameters="self", body=body, call="self.make()"))
        assert "batch_size = self.batch_size\n        @cached\n        def side():" in text

    def test_a_helper_called_by_the_constructor_rebuilds_what_is_stored(self) -> None:
        code = HELPER.format(parameters="self", body=EYE, call="self.mask").replace(
            "self.batch_size = batch_size\n", "self.batch_size = batch_size\n        self.mask = self.make()\n"
        )
        text = repaired(code)
        assert "mask = self.make(batch_size=actual_batch_size).to(" in text
        assert "self.mask = self.make()" in text

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (("    def make", "    @cached\n    def make"), "is decorated"),
            (("make(self)", "make(self, *more)"), "takes any arguments"),
            (("make(self):\n        return", "make(self): return"), "written on one row"),
            (("2 * self.batch_size", "self.batch_size + self.args.batch_size"), "several configured sizes"),
        ],
    )
    def test_a_helper_that_cannot_take_a_size(self, change: tuple[str, str], reason: str) -> None:
        code = HELPER.format(parameters="self", body=EYE, call="self.make()").replace(*change)
        assert reason in refusal(code)

    def test_an_overridden_helper(self) -> None:
        code = HELPER.format(parameters="self", body=EYE, call="self.make()")
        code += "\nclass Other(Loss):\n    def make(self):\n        return 0\n"
        assert "is overridden in `Other`" in refusal(code)
