"""The sampler `auto`: models of every metric, and the largest expected gain per second of engine time.

Read `sampler` first: `pools` makes its candidates, `models` fits what was measured, `scores` weighs
gain against engine time, `bounds` says how much there is left to gain. It knows no database and no manifest.
"""

from llmopt_core.sampling.auto.sampler import AutoSampler

__all__ = ["AutoSampler"]
