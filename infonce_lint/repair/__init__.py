"""Plans the one fix of a loss unit."""

from infonce_lint.repair.plan import Refusal, plan_fix

__all__ = ["Refusal", "plan_fix"]
