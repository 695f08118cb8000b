"""Manifests from a few options: what the commands and the Python functions build for those who write none.

Read `optimizations` and `benchmarks` first; `option_faults` reports what is wrong, in the
names that `spellings` has for options.
"""

from llmopt.manifests.documents import as_yaml
from llmopt.manifests.option_faults import OptionInvalid, as_option_faults
from llmopt.manifests.workloads import evaluator_part

__all__ = ["OptionInvalid", "as_option_faults", "as_yaml", "evaluator_part"]
