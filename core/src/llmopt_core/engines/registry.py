"""Which engines there are: the built-in declarations without their engines, plug-ins by entry point."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from llmopt_core.engines.declarations import EngineDeclaration
from llmopt_core.engines.llamacpp.declaration import LLAMACPP
from llmopt_core.engines.openai.declaration import OPENAI
from llmopt_core.engines.other_servers import OTHER_SERVERS
from llmopt_core.engines.sglang.declaration import SGLANG
from llmopt_core.engines.transformers.declaration import TRANSFORMERS
from llmopt_core.engines.vllm.declaration import VLLM
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.errors.patterns import machine
from llmopt_core.errors.patterns.base import Pattern
from llmopt_core.plugins import PluginBroken, PluginGroup, load_plugin, plugin_names

# The order is that of preference, and that in which a log of an engine that is not known is searched.
BUILT_IN: Mapping[str, EngineDeclaration] = MappingProxyType(
    {engine.name: engine for engine in (VLLM, SGLANG, TRANSFORMERS, LLAMACPP, OPENAI)}
)

_MEMORY_WORDS: Mapping[ErrorClass, str] = MappingProxyType(
    {known.error_class: known.suggestion for known in (machine.GPU_MEMORY, machine.HOST_MEMORY)}
)


def engines_of_files() -> str:
    """Name the built-in engines that serve one file of weights, for messages."""
    return " or ".join(each.name for each in BUILT_IN.values() if each.needs_model_file)


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


def usable_declarations() -> Mapping[str, EngineDeclaration]:
    """Return what every engine declares, by name; a plug-in that cannot be loaded is left out."""
    found = {name: _usable(name) for name in dict.fromkeys((*BUILT_IN, *engine_names()))}
    return {name: declaration for name, declaration in found.items() if declaration is not None}


def patterns_for(declaration: EngineDeclaration) -> tuple[Pattern, ...]:
    """Return the patterns for a log of this engine.

    Where it has none of its own, as a server elsewhere that may be any, those of all.
    """
    return declaration.logs.patterns or all_patterns()


def all_patterns() -> tuple[Pattern, ...]:
    """Return the patterns of all engines and servers, for a log of one that is not known.

    What parameters of an engine would change where memory ran out is no advice for another: that is said in
    the words of the machine below all.
    """
    engines = (each for known in usable_declarations().values() for each in known.logs.patterns)
    others = (each for logs in OTHER_SERVERS.values() for each in logs.patterns)
    return (*map(_of_any_engine, engines), *others)


def _of_any_engine(known: Pattern) -> Pattern:
    words = _MEMORY_WORDS.get(known.error_class)
    names_parameters = known.limits or known.remedies or "{" in known.suggestion
    if words is None or not names_parameters:
        return known
    return replace(known, suggestion=words, limits=(), remedies=())


def _usable(name: str) -> EngineDeclaration | None:
    try:
        return declaration_of(name)
    except PluginBroken:
        return None
