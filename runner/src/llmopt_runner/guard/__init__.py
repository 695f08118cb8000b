"""The memory guard: how full each device is, whose the memory is, and what is left after a stop.

It ends no engine: the guard reports levels, `engine_slot.engine_memory` and the supervisor act. Read `levels`
first, then `guard`.
"""

from llmopt_runner.guard.blocks import MemoryRanOut, NotEnoughMemory, memory_guard

__all__ = ["MemoryRanOut", "NotEnoughMemory", "memory_guard"]
