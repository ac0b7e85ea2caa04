"""Plans the one fix of a loss unit, and holds it back where a loss that it runs with has none."""

from infonce_lint.repair.plan import Refusal, plan_fix
from infonce_lint.repair.together import fixed_together

__all__ = ["Refusal", "fixed_together", "plan_fix"]
