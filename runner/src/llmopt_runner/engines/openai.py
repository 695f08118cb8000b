"""A server that runs already, anywhere, with an OpenAI-compatible API."""

from collections.abc import Mapping
from typing import Any

from llmopt_core.engines.openai import OPENAI
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.base import Engine, LaunchSettings, Reachable, model_ids
from llmopt_runner.engines.failures import EndpointUnreachable


class OpenAI(Engine):
    """Starts nothing and stops nothing: only requests can be tuned."""

    declaration = OPENAI
    # It runs already: what does not answer within this is not there.
    patience_seconds = 10.0

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
        return f"# send with each request to {self.base_url(settings)}: {fields}"

    def make_fresh(self, server: Reachable, configuration: Configuration) -> bool:
        """Return True: what such a server keeps between trials can neither be seen nor be emptied."""
        del server, configuration
        return True

    def read_facts(self, log_text: str, metrics_text: str) -> dict[str, Any]:
        """Return nothing: its log is not ours, and its metrics are its own."""
        del log_text, metrics_text
        return {}

    def base_url(self, settings: LaunchSettings) -> str:
        """Return the endpoint's URL; one that ends with `/v1` is as good as one that does not."""
        return (settings.endpoint_url or "").rstrip("/").removesuffix("/v1")

    def model_name(self, settings: LaunchSettings) -> str:
        """Return the model that the manifest names for the endpoint, "" when it names none."""
        return settings.endpoint_model or ""

    def served_name(self, models: Mapping[str, Any], settings: LaunchSettings) -> str | None:
        """Return the model that the manifest names, else the first one that the server has."""
        ids = model_ids(models)
        if settings.endpoint_model:
            return settings.endpoint_model if settings.endpoint_model in ids else None
        return ids[0] if ids else None
