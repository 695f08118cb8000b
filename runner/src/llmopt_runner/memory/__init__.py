"""Memory of the host and of GPUs: what there is, who occupies it, what a model will need, and the guard.

It ends no engine: the guard reports levels, `guarding` and the supervisor act. Read `levels`
first, then `guard`.
"""

from llmopt_runner.memory.blocks import MemoryRanOut, NotEnoughMemory, memory_guard

__all__ = ["MemoryRanOut", "NotEnoughMemory", "memory_guard"]
