"""A server that runs already, anywhere, with an OpenAI-compatible API."""

from collections.abc import Mapping, Sequence
from typing import Any

from llmopt_core.engines.openai.declaration import OPENAI
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.base import Engine, LaunchSettings, Reachable, model_ids
from llmopt_runner.engines.failures import EndpointAmbiguous, EndpointUnreachable
from llmopt_runner.transport.api_url import api_url
from llmopt_runner.transport.messages import shown_address


class OpenAI(Engine):
    """Starts nothing and stops nothing: only requests can be tuned."""

    declaration = OPENAI
    # It runs already: what does not answer within this is not there, or is started again.
    patience_seconds = 10.0
    restart_seconds = 120.0
    # Its metrics are its own.
    metrics_path = None

    def installed(self) -> str:
        """Return a name: there is nothing to install."""
        return "endpoint"

    def command(self, settings: LaunchSettings) -> None:
        """Return None: the server runs already."""
        if not settings.endpoint_url:
            raise EndpointUnreachable(
                "spec.engine.endpoint.url: the engine openai needs one, and none is given"
            )

    def serve_arguments(self, configuration: Configuration, settings: LaunchSettings) -> str:
        """Return a comment: the server is another's, and the parameters go with each request."""
        fields = ", ".join(f"{name}={value}" for name, value in configuration.sampling.items())
        url = shown_address(api_url(self.base_url(settings), "/chat/completions"))
        return f"# send with each request to {url}: {fields}"

    def make_fresh(self, server: Reachable, configuration: Configuration) -> bool:
        """Return True: what such a server keeps between trials can neither be seen nor be emptied."""
        del server, configuration
        return True

    def read_facts(self, log_text: str, metrics_text: str) -> dict[str, Any]:
        """Return nothing: its log is not ours, and its metrics are its own."""
        del log_text, metrics_text
        return {}

    def base_url(self, settings: LaunchSettings) -> str:
        """Return the endpoint's URL as it was written: `api_url` knows where its API is."""
        return settings.endpoint_url or ""

    def asked_unlisted(self, settings: LaunchSettings) -> str | None:
        """Return the model that the manifest names for the endpoint."""
        return settings.endpoint_model

    def model_name(self, settings: LaunchSettings) -> str:
        """Return the model that the manifest names for the endpoint, "" when it names none."""
        return settings.endpoint_model or ""

    def served_name(self, models: Mapping[str, Any], settings: LaunchSettings) -> str | None:
        """Return the model that the manifest names for the endpoint, else the one that its source names.

        Where the server has only one, that is it, whatever it is called. Raises EndpointAmbiguous.
        """
        ids = model_ids(models)
        if settings.endpoint_model:
            return _listed(settings.endpoint_model, ids)
        if len(ids) == 1:
            return ids[0]
        if settings.model_id in ids:  # the server may have shorter names for it, too
            return settings.model_id
        named = [name for name in ids if _is_named(name, settings.model_id)]
        if ids and len(named) != 1:
            raise EndpointAmbiguous(
                f"{shown_address(self.base_url(settings))} serves {len(ids)} models, and spec.model.source"
                f" names {settings.model_id!r}, which {'is none' if not named else 'are several'} of them:"
                f" {', '.join(ids)}"
            )
        return named[0] if named else None

    def doubts(self, served: str, settings: LaunchSettings) -> tuple[str, ...]:
        """Return that the only model of the server is called otherwise than the manifest's."""
        if settings.endpoint_model or _is_named(served, settings.model_id):
            return ()
        return (f"the endpoint serves {served!r}, and spec.model.source names {settings.model_id!r}",)


def _listed(name: str, ids: Sequence[str]) -> str | None:
    """Return the one of `ids` that `name` is short for; None: there is none.

    Gemini lists `models/gemini-2.5-flash`, Ollama `llama3.2:latest`.
    """
    if name in ids:
        return name
    alike = [each for each in ids if _plain(each) == _plain(name)]
    return alike[0] if len(alike) == 1 else None


def _plain(name: str) -> str:
    return name.removeprefix("models/").removesuffix(":latest")


def _is_named(served: str, model_id: str) -> bool:
    """Say whether `served` is `model_id`, or its bare name or path: another's `org/name` is another model."""
    if served == model_id:
        return True
    is_path = served.startswith(("/", ".")) or "/" not in served
    return is_path and _bare(served) == _bare(model_id)


def _bare(name: str) -> str:
    return name.rstrip("/").rpartition("/")[2].lower().removesuffix(".gguf").removesuffix(":latest")
