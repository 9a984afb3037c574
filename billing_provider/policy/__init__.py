"""The rules as a policy pack of Pulumi: `from billing_provider.policy import run_policy_pack`."""

from billing_provider.policy.pack import policies, run_policy_pack

__all__ = ["policies", "run_policy_pack"]
