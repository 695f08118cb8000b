"""Which engines there are: the built-in declarations without their engines, plug-ins by entry point."""

from collections.abc import Mapping
from types import MappingProxyType

from llmopt_core.engines.declarations import EngineDeclaration
from llmopt_core.engines.llamacpp.declaration import LLAMACPP
from llmopt_core.engines.openai.declaration import OPENAI
from llmopt_core.engines.transformers.declaration import TRANSFORMERS
from llmopt_core.engines.vllm.declaration import VLLM
from llmopt_core.plugins import PluginGroup, load_plugin, plugin_names

BUILT_IN: Mapping[str, EngineDeclaration] = MappingProxyType(
    {engine.name: engine for engine in (LLAMACPP, OPENAI, TRANSFORMERS, VLLM)}
)


def engine_names() -> tuple[str, ...]:
    """Return the names of all engines, built in and registered, sorted."""
    return tuple(sorted({*BUILT_IN, *plugin_names(PluginGroup.ENGINES)}))


def declaration_of(name: str) -> EngineDeclaration | None:
    """Return what engine `name` declares, None when there is no such engine.

    Raises PluginBroken when a package registers the name but what it registers declares nothing. Built-in
    engines are not imported: they are declared here, so that a manifest is checked without them.
    """
    if name in BUILT_IN:
        return BUILT_IN[name]
    if name not in plugin_names(PluginGroup.ENGINES):
        return None
    plugin = load_plugin(PluginGroup.ENGINES, name)
    declaration = getattr(plugin.value, "declaration", None)
    if not isinstance(declaration, EngineDeclaration):
        raise plugin.unfit("it has no attribute `declaration` of type EngineDeclaration")
    return declaration
