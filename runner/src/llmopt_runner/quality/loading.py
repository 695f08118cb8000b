"""From what a manifest says about its evaluator to the evaluator."""

from llmopt_core.plugins import PluginGroup, load_plugin
from llmopt_core.resources import serving
from llmopt_runner.quality.base import Evaluator, EvaluatorSettings


def load_evaluator(
    spec: serving.Evaluator | None, default_name: str, *, api_key: str | None = None
) -> Evaluator:
    """Return the evaluator that `spec` describes, or the data set's own, `default_name`, when it is None.

    `api_key` is the endpoint's. Raises EvaluatorInvalid, PluginNotFound or PluginBroken.
    """
    settings = _settings(spec, default_name, api_key)
    plugin = load_plugin(PluginGroup.EVALUATORS, settings.name)
    if not (isinstance(plugin.value, type) and issubclass(plugin.value, Evaluator)):
        raise plugin.unfit("it is not a subclass of llmopt_runner.quality.base.Evaluator")
    return plugin.value.from_settings(settings)


def _settings(spec: serving.Evaluator | None, default_name: str, api_key: str | None) -> EvaluatorSettings:
    if spec is None:
        return EvaluatorSettings(default_name)
    if spec.endpoint is None:
        return EvaluatorSettings(spec.name, spec.args)
    return EvaluatorSettings(spec.name, spec.args, spec.endpoint.url, spec.endpoint.model, api_key)
