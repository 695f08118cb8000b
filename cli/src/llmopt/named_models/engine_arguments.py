"""What the fields of a named model mean to the engine that serves it. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from llmopt.named_models.entries import NamedModel, Quantization
from llmopt_core.engines.registry import declaration_of
from llmopt_core.resources.faults import Fault, did_you_mean

Argument = int | str
Arguments = Mapping[str, Argument]


@dataclass(frozen=True)
class Unusable:
    """Why an engine cannot be given a field: what it expects in place of the value, and what to do."""

    expected: str
    hint: str


Meaning = Callable[[object], Arguments | Unusable]
_NONE: Arguments = MappingProxyType({})
_GPU_WORDS = frozenset({"auto", "cuda", "gpu"})


def named(argument: str) -> Meaning:
    """Return the meaning of a field that is the engine's own parameter `argument`."""

    def meaning(value: object) -> Arguments | Unusable:
        assert isinstance(value, int | str)  # noqa: S101 - the file's types
        return {argument: value}

    return meaning


def only(values: frozenset[object], expected: str, hint: str, arguments: Arguments = _NONE) -> Meaning:
    """Return the meaning of a field of which the engine knows only `values`."""
    return lambda value: arguments if value in values else Unusable(expected, hint)


def _llamacpp_device(value: object) -> Arguments | Unusable:
    if value == "cpu":
        return {"n_gpu_layers": 0}
    return _GPUS_SEEN(value)


def _bitsandbytes(value: object) -> Arguments | Unusable:
    assert isinstance(value, Quantization)  # noqa: S101 - the file's types
    if value.load_in_4bit and value.load_in_8bit:
        return Unusable("load_in_4bit or load_in_8bit", "set one of the two")
    bits = "bnb-4bit" if value.load_in_4bit else "bnb-8bit" if value.load_in_8bit else "none"
    return {"quantization": bits}


def _not_quantised(hint: str) -> Meaning:
    return only(frozenset({Quantization()}), "weights as they are", hint)


_GPUS_SEEN = only(
    frozenset(_GPU_WORDS),
    "auto, cuda or gpu",
    "choose one GPU by the variable CUDA_VISIBLE_DEVICES",
)
_WHOLE = only(
    frozenset({1}),
    "1",
    "this engine divides a model among GPUs by itself: remove the field, or take engine vllm",
)
_MEANINGS: Mapping[str, Mapping[str, Meaning]] = MappingProxyType(
    {
        "llamacpp": {
            "device": _llamacpp_device,
            "dtype": only(
                frozenset({"auto"}),
                "auto",
                "a GGUF file has its own type: name a file of another one as source",
            ),
            "quantization": _not_quantised("name a quantised file as source, such as one of Q4_K_M"),
            "max_batch_size": named("n_parallel"),
            "tensor_parallel_size": _WHOLE,
            "pipeline_parallel_size": _WHOLE,
        },
        "transformers": {
            "device": named("device"),
            "dtype": named("dtype"),
            "quantization": _bitsandbytes,
            # Its batch has no largest size of its own: the load's concurrency is what it holds.
            "max_batch_size": lambda value: {"continuous_batching": "false" if value == 1 else "true"},
            "tensor_parallel_size": _WHOLE,
            "pipeline_parallel_size": _WHOLE,
        },
        "vllm": {
            "device": _GPUS_SEEN,
            "dtype": named("dtype"),
            "quantization": _not_quantised(
                "vLLM serves weights as they were quantised: name such a model as source, or take engine"
                " transformers"
            ),
            "max_batch_size": named("max_num_seqs"),
            "tensor_parallel_size": named("tensor_parallel_size"),
            "pipeline_parallel_size": named("pipeline_parallel_size"),
        },
    }
)
_FIELDS = tuple(_MEANINGS["vllm"])


def engine_arguments(model: NamedModel, engine: str) -> tuple[dict[str, Argument], tuple[Fault, ...]]:
    """Return the fixed parameters of `engine` for `model`, and the faults of fields that it cannot be given.

    The path of a fault is the field's name.
    """
    arguments: dict[str, Argument] = {}
    faults: list[Fault] = []
    for field in _FIELDS:
        value = getattr(model, field)
        if value is None:
            continue
        match _meaning(engine, field)(value):
            case Unusable(expected, hint):
                faults.append(Fault(field, _plain(value), f"{expected} with engine {engine}", hint))
            case meant:
                faults += (fault for name in meant if (fault := _twice(field, name, model)))
                faults += _refused(field, meant, engine)
                arguments |= meant
    faults += _refused("args", model.args, engine)
    return {**arguments, **model.args}, tuple(faults)


def _meaning(engine: str, field: str) -> Meaning:
    """Return what `field` means to `engine`; a plug-in's parameters are only known by their own names."""
    known = _MEANINGS.get(engine)
    hint = (
        "remove it: a server that runs already, or a plug-in, has its own settings (a plug-in's go to args)"
    )
    return known[field] if known else lambda _: Unusable("no such field", hint)


def _twice(field: str, name: str, model: NamedModel) -> Fault | None:
    if name not in model.args:
        return None
    return Fault(
        f"args.{name}", model.args[name], f"{name} once", f"{field} means the same: remove one of them"
    )


def _refused(field: str, arguments: Arguments, engine: str) -> Iterator[Fault]:
    """Yield a fault for each parameter that the engine does not know, or not with this value."""
    declaration = declaration_of(engine)
    if declaration is None:
        return
    for name, value in arguments.items():
        place = f"args.{name}" if field == "args" else field
        known = declaration.parameters.get(f"engine.{name}")
        if known is None:
            names = [one.name for one in declaration.parameters.values() if one.group == "engine"]
            yield Fault(place, name, f"a parameter of {engine}", did_you_mean(name, names))
            continue
        try:
            known.parse(value)
        except ValueError:
            yield Fault(place, value, f"{known.expected} with engine {engine}")


def _plain(value: object) -> object:
    """Return `value` as the file writes it."""
    if not isinstance(value, Quantization):
        return value
    return ", ".join(f"{field}: true" for field in value.model_dump(exclude_defaults=True))
