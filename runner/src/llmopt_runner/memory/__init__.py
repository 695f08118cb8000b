"""What models and engines occupy: devices, guard, prediction, leaks."""

from llmopt_runner.memory.blocks import MemoryRanOut, NotEnoughMemory, memory_guard

__all__ = ["MemoryRanOut", "NotEnoughMemory", "memory_guard"]
