"""What `transformers serve` says when it fails."""

from llmopt_core.errors.patterns.base import Pattern

PATTERNS: tuple[Pattern, ...] = ()
