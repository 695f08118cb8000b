"""What a study found as best.json, for other programs."""

import json
from typing import Any

from llmopt_core.resources.status import CandidateResult, Choice, ErrorSummary, WarningSummary
from llmopt_core.results.prompts import Messages
from llmopt_core.results.results import BenchmarkResult, OptimizationResult, Result, fields_in
from llmopt_core.results.wording import chosen

_PERCENT = 100


def best_text(result: Result) -> str:
    """Return best.json."""
    return json.dumps(best_document(result), indent=2, ensure_ascii=False) + "\n"


def best_document(result: Result) -> dict[str, Any]:
    """Return the outcome in words, what to serve and how, and what was measured, for programs."""
    return {
        "study": result.study,
        "ended": result.ended,
        "message": result.message,
        "failed": result.failed,
        "headline": result.headline,
        "trials": result.trials,
        **(_found(result) if isinstance(result, OptimizationResult) else _compared(result)),
        "parameters": result.parameters,
        "serve_command": result.serve_command,
        "request_fields": result.request_fields,
        "request_messages": result.request_messages,
        "loads": [_plain(each) for each in result.status.loads],
        "errors": [_error(each) for each in result.errors],
        "warnings": [_warning(each) for each in result.warnings],
        "report": None if result.report is None else result.report.name,
    }


def _found(result: OptimizationResult) -> dict[str, Any]:
    status = result.status
    return {
        "trial": result.trial,
        "reference": result.reference,
        "default_is_best": result.default_is_best,
        "keep_default": result.keep_default,
        "default_failure": None if result.default_failure is None else _error(result.default_failure),
        "confirmed": result.confirmed,
        "repeats": result.repeats,
        "significant": result.significant,
        "gain": result.gain,
        "interval": result.interval,
        "chosen": chosen(status),
        "objectives": [_plain(each) for each in status.objectives],
        "effects": [_plain(each) for each in result.effects],
        "constraints": [_plain(each) for each in result.constraints],
        "choices": [_served(each, result.messages_of(each.trial)) for each in result.choices],
        "notes": status.notes,
        "learned": status.learned,
        "variances": [_plain(each) for each in status.variances],
        "trial_parameters": result.trial_parameters,
        "metrics": result.metrics,
        "default_metrics": result.default_metrics,
    }


def _compared(result: BenchmarkResult) -> dict[str, Any]:
    status = result.status
    return {
        "winner": result.winner,
        "verdict": result.verdict,
        "objective": None if status.objective is None else _plain(status.objective),
        "metrics": status.metrics,
        "baseline": status.baseline,
        "confidence": status.confidence_percent / _PERCENT,
        "repeats": status.repeats,
        "finished": status.progress.finished,
        "measured": status.progress.measured,
        "notes": status.notes,
        "variances": [_plain(each) for each in status.variances],
        "candidates": [
            {"name": each.candidate, **_served(each, result.messages_of(each.candidate))}
            for each in result.candidates
        ],
    }


def _served(each: Choice | CandidateResult, messages: Messages | None) -> dict[str, Any]:
    """Return `each` with how it is served, by the names that best.json has for the best."""
    document = _plain(each)
    command = document.pop("serve_args", "")
    return {
        **document,
        "serve_command": command or None,
        "request_fields": fields_in(each.request_fields),
        "request_messages": messages,
    }


def _error(error: ErrorSummary) -> dict[str, Any]:
    return {
        "error_class": error.class_,
        "count": error.count,
        "message": error.last_message,
        "suggestion": error.suggestion,
        "trial": error.last_trial,
    }


def _warning(warning: WarningSummary) -> dict[str, Any]:
    return {"count": warning.count, "message": warning.last_message, "trial": warning.last_trial}


def _plain(part: Any) -> dict[str, Any]:
    document: dict[str, Any] = part.model_dump(exclude_none=True)
    return document
