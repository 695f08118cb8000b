"""Why an engine does not serve.

LlmoptError
├── EngineNotFound          no plug-in of that name
├── EngineNotInstalled      the plug-in is there, its program is not
├── UnsupportedParameter    the engine would ignore it
└── EngineStartFailed       it ended before it answered
    ├── PortBusy            another process has the port
    │   └── NoFreePort      … and others have all the rest
    ├── EngineRefused       it answers, and says no
    │   └── AccessDenied    … to the key
    ├── EngineStartTimeout  it lives, but did not answer in time
    ├── EndpointAmbiguous   a server that runs already has several models, none of them named
    └── EndpointUnreachable a server that should run already does not answer as one
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from llmopt_core.errors.classes import ErrorClass, Failure, LlmoptError
from llmopt_core.errors.classification import Evidence, classify
from llmopt_core.errors.drafts import DraftModel
from llmopt_core.errors.patterns.base import Pattern
from llmopt_core.errors.tracebacks import decisive_line

_LINE_LIMIT = 300


class EngineNotFound(LlmoptError):
    """No plug-in of that name is registered."""

    error_class = ErrorClass.ENGINE_NOT_INSTALLED


class EngineNotInstalled(LlmoptError):
    """The engine is known, but the program it runs is not on this machine."""

    error_class = ErrorClass.ENGINE_NOT_INSTALLED


class UnsupportedParameter(LlmoptError):
    """A parameter that this engine does not know: sent all the same, it would be ignored in silence."""

    error_class = ErrorClass.INVALID_CONFIGURATION


class EngineStartFailed(LlmoptError):
    """The engine ended, or refused, before it gave a completion.

    `exit_code` and `signal` are the engine's own (None: it was still alive). `log` is its log, the head and
    the tail where it is long. `error_class` is None where only the log shows it. `patterns` are those of the
    engine and `draft` is its second model, set by who started it.
    """

    error_class: ErrorClass | None = None
    patterns: tuple[Pattern, ...] = ()
    draft: DraftModel | None = None
    suggestion = "Read the engine's log in the results folder."

    def __init__(
        self,
        reason: str,
        *,
        log: str = "",
        exit_code: int | None = None,
        signal: int | None = None,
    ) -> None:
        """Keep what a classification needs; the message ends with the log's decisive line."""
        super().__init__(_with_decisive_line(reason, log))
        self.log = log
        self.exit_code = exit_code
        self.signal = signal

    @property
    def failure(self) -> Failure:
        """The failure as it is stored, without the numbers of a trial."""
        return self.explained({})

    def explained(self, numbers: Mapping[str, Any]) -> Failure:
        """Return the failure by its class where that is known, else by what the log shows.

        `numbers` are the trial's own parameters by short name: suggestions mention them.
        """
        if self.error_class is not None:
            return Failure(self.error_class, str(self), self.suggestion)
        return classify(self._evidence(numbers))

    def _evidence(self, numbers: Mapping[str, Any]) -> Evidence:
        return Evidence(self.log, self.exit_code, self.signal, numbers, self.patterns, self.draft)


class PortBusy(EngineStartFailed):
    """Another process has the port that was asked for."""

    error_class = ErrorClass.PORT_BUSY
    suggestion = "End the process that listens there, or leave the port open: a free one is picked."
    retryable = True


class NoFreePort(PortBusy):
    """Every port that could be picked is taken."""

    suggestion = (
        "End the processes that hold them (`ss -tanp` shows which), or widen the range:"
        " sysctl net.ipv4.ip_local_port_range."
    )


class EngineRefused(EngineStartFailed):
    """The server answers, and says no to the first request."""

    error_class = ErrorClass.INVALID_CONFIGURATION
    suggestion = "Correct what the server's answer names."


class AccessDenied(EngineRefused):
    """The server answers, and wants another key."""

    error_class = ErrorClass.ACCESS_DENIED
    suggestion = "Give the key of the endpoint: spec.engine.endpoint.apiKeySecretRef."


class EngineStartTimeout(EngineStartFailed):
    """The engine lives, but no completion came back in time."""

    error_class = ErrorClass.ENGINE_START_TIMEOUT
    suggestion = "Raise spec.engine.startTimeout if the engine only needs longer; its log shows what it did."

    def explained(self, numbers: Mapping[str, Any]) -> Failure:
        """Return the cause that the log names: an engine may live on, and answer nothing but errors.

        What it refused in general words while it lives on, it may do without.
        """
        seen = classify(replace(self._evidence(numbers), served=True))
        return super().explained(numbers) if seen.error_class is ErrorClass.UNKNOWN else seen


class EndpointAmbiguous(EngineStartFailed):
    """A server that runs already has several models, and the manifest does not say which is meant."""

    error_class = ErrorClass.MODEL_NOT_FOUND
    suggestion = "Name one of them in spec.engine.endpoint.model."


class EndpointUnreachable(EngineStartFailed):
    """A server that runs already, by what the manifest says, does not answer as one."""

    error_class = ErrorClass.ENDPOINT_UNREACHABLE
    suggestion = (
        "Start that server, or correct spec.engine.endpoint.url and spec.engine.endpoint.model. Where its API"
        " is not at /v1, write the whole address, …/chat/completions; where it lists no models, name the"
        " model."
    )
    retryable = True


def _with_decisive_line(reason: str, log: str) -> str:
    return f"{reason}; its log says: {decisive_line(log)[:_LINE_LIMIT]}" if log.strip() else reason
