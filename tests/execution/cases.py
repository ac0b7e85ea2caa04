"""All executable fixtures."""

from __future__ import annotations

from tests.execution.cases_frozen import FROZEN_CASES
from tests.execution.cases_labels import LABEL_CASES
from tests.execution.cases_masks import MASK_CASES
from tests.execution.cases_normaliser import NORMALISER_CASES
from tests.execution.cases_placement import PLACEMENT_CASES
from tests.execution.cases_reshape import RESHAPE_CASES

CASES = [*LABEL_CASES, *PLACEMENT_CASES, *MASK_CASES, *RESHAPE_CASES, *NORMALISER_CASES, *FROZEN_CASES]
