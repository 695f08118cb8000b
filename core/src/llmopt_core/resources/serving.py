"""What is served and with what: the parts of a manifest that both kinds share."""

import re
from typing import Annotated, ClassVar

from pydantic import Field

from llmopt_core.engines.openai.declaration import OPENAI
from llmopt_core.engines.registry import BUILT_IN
from llmopt_core.resources.base import DecimalText, DurationText, Identifier, Name, Part, ScalarMap
from llmopt_core.resources.load import Load
from llmopt_core.resources.rules import Rule, decimal_within, given

# Nothing that a server would read as one of its flags.
SOURCE_PATTERN = r"^(hf|pvc|file|package)://[^-].*$"
URL_PATTERN = r"^https?://.+$"
_PORT = r"0*(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
# A URL without a port, or with one that there is: everything before the first `/` is user, host and port.
_WITH_SOUND_PORT = rf"^https?://([^/?#]*@)?(\[[^\]/?#]*\]|[^:/?#\[\]]*)(:({_PORT})?)?([/?#].*)?$"
_IN_CEL = _WITH_SOUND_PORT.replace("\\", r"\\")

# What starts no server is said to be so.
_ENGINES = ", ".join(
    f"`{name}` ({engine.summary})" if engine.asks_endpoint else f"`{name}`"
    for name, engine in sorted(BUILT_IN.items())
)


class SecretKey(Part):
    """A key of a Secret in the resource's own namespace."""

    name: Annotated[Name, Field(description="Name of the Secret.")]
    key: Annotated[str, Field(min_length=1, max_length=253, description="Key in it.")]


class Model(Part):
    """Where the weights come from."""

    source: Annotated[
        str,
        Field(
            pattern=SOURCE_PATTERN,
            max_length=512,
            description="`hf://ORG/NAME[/FILE][@REVISION]`, `pvc://CLAIM/PATH`, `file:///PATH` or `package://PYTHON_PACKAGE/FILE`.",
        ),
    ]
    token_secret_ref: Annotated[
        SecretKey | None, Field(description="Token for a gated or private repository.")
    ] = None
    trust_remote_code: Annotated[
        bool, Field(description="Let the engine run code that comes with the model.")
    ] = False


class Endpoint(Part):
    """A server that runs already."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"self.url.matches('{_IN_CEL}')",
            "a URL without a port, or with one from 1 to 65535",
            lambda endpoint: re.fullmatch(_WITH_SOUND_PORT, endpoint.url) is not None,
            field="url",
        ),
    )

    url: Annotated[
        str,
        Field(
            pattern=URL_PATTERN,
            max_length=512,
            description="Base URL, such as `http://host:8000/v1`. `/v1` may be left out; a path with another"
            " version, such as `/api/paas/v4` or `/v1beta/openai`, is taken as it is, and so is a whole"
            " address that ends with `/chat/completions`.",
        ),
    ]
    model: Annotated[
        Annotated[str, Field(max_length=256)] | None,
        Field(
            description="What requests call the model; by default the only one that the server has, else"
            " the one that `model.source` names."
        ),
    ] = None
    api_key_secret_ref: Annotated[SecretKey | None, Field(description="Key sent as bearer token.")] = None


class Engine(Part):
    """Which inference server, and what is fixed about it."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"(self.name == '{OPENAI.name}') == has(self.endpoint)",
            f"an endpoint with engine {OPENAI.name}, and with no other",
            lambda engine: (engine.name == OPENAI.name) == (engine.endpoint is not None),
            suggestion=f"{OPENAI.name} needs endpoint.url; other engines are started, so remove endpoint",
        ),
    )

    name: Annotated[
        Identifier,
        Field(description=f"{_ENGINES}, or a plug-in's name."),
    ]
    args: Annotated[
        ScalarMap,
        Field(
            description="The engine's own parameters that are fixed, by plain name; see the page of engines."
        ),
    ] = Field(default_factory=dict)
    endpoint: Annotated[
        Endpoint | None, Field(description="With engine `openai` only: the server to ask.")
    ] = None
    start_timeout: Annotated[
        DurationText, Field(description="How long a server may take until its first completion.")
    ] = "10m"


class ConfigMapKey(Part):
    """A key of a ConfigMap in the resource's own namespace."""

    name: Annotated[Name, Field(description="Name of the ConfigMap.")]
    key: Annotated[str, Field(min_length=1, max_length=253, description="Key in it, which holds JSON lines.")]


class Dataset(Part):
    """Which items are asked: one of a built-in name, a ConfigMap's key, a file, a hub data set."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "[has(self.name), has(self.configMapKeyRef), has(self.path), has(self.hf)]"
            ".filter(given, given).size() == 1",
            "exactly one of name, configMapKeyRef, path and hf",
            lambda data: given(data.name, data.config_map_key_ref, data.path, data.hf) == 1,
        ),
        Rule(
            "!has(self.split) || has(self.hf)",
            "split only with hf",
            lambda data: data.split is None or data.hf is not None,
            field="split",
        ),
    )

    name: Annotated[Identifier | None, Field(description="A built-in or installed data set.")] = None
    config_map_key_ref: Annotated[ConfigMapKey | None, Field(description="A file in a ConfigMap.")] = None
    path: Annotated[
        Annotated[str, Field(min_length=1, max_length=512)] | None,
        Field(
            description="A file of JSON lines, or of comma-separated values where it ends in .csv or .tsv,"
            " with `question` and `answer` or in the layout of a public data set."
        ),
    ] = None
    hf: Annotated[
        Annotated[str, Field(min_length=1, max_length=256)] | None,
        Field(description="A data set of the Hugging Face hub."),
    ] = None
    split: Annotated[
        Annotated[str, Field(max_length=64)] | None, Field(description="Which split of the hub's data set.")
    ] = None
    samples: Annotated[
        int,
        Field(
            ge=4,
            le=10_000,
            description="Items that each trial of the search asks. A data set needs twice as many rows, and a"
            " few more for examples in the prompt.",
        ),
    ] = 32
    seed: Annotated[
        int,
        Field(
            ge=0,
            le=2**31 - 1,
            description="Decides which items are searched on, which are held out and which are examples.",
        ),
    ] = 0


class Prompt(Part):
    """How an item becomes messages. `template` holds `{question}`."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.template) || self.template.contains('{question}')",
            "a template that holds {question}",
            lambda prompt: prompt.template is None or "{question}" in prompt.template,
            field="template",
        ),
        decimal_within(
            "sharedPrefix",
            "sharedPrefix from 0 to 0.99",
            (">=", 0),
            ("<=", 0.99),
            suggestion='"0.6" makes the first 60 % of each user message the same in all',
        ),
    )

    system: Annotated[Annotated[str, Field(max_length=8192)] | None, Field(description="System message.")] = (
        None
    )
    template: Annotated[
        Annotated[str, Field(max_length=8192)] | None,
        Field(description="The user message; holds `{question}`."),
    ] = None
    few_shot: Annotated[int, Field(ge=0, le=32, description="Worked examples before the question.")] = 0
    shared_prefix: Annotated[
        DecimalText,
        Field(
            description="Share of each user message that all of them begin with: words are put before the"
            " item. Of a trace that has lengths only they are a part of these; Mooncake's traces say"
            " themselves what prompts share."
        ),
    ] = "0"


class ServiceLevel(Part):
    """What one request must keep to count towards goodput."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.ttftMs) || has(self.tpotMs) || has(self.e2eMs)",
            "at least one of ttftMs, tpotMs and e2eMs",
            lambda level: given(level.ttft_ms, level.tpot_ms, level.e2e_ms) > 0,
        ),
    )

    ttft_ms: Annotated[
        Annotated[int, Field(ge=1, le=3_600_000)] | None, Field(description="Time to the first token.")
    ] = None
    tpot_ms: Annotated[
        Annotated[int, Field(ge=1, le=3_600_000)] | None, Field(description="Mean time per further token.")
    ] = None
    e2e_ms: Annotated[
        Annotated[int, Field(ge=1, le=3_600_000)] | None,
        Field(alias="e2eMs", description="From sending the request to the end of its answer."),
    ] = None


class Evaluator(Part):
    """How an answer is scored. `endpoint` is the judge's, or the scoring service's."""

    name: Annotated[Identifier, Field(description="A built-in or installed evaluator.")]
    args: Annotated[ScalarMap, Field(description="What the evaluator takes.")] = Field(default_factory=dict)
    endpoint: Annotated[Endpoint | None, Field(description="The judge, or the service that scores.")] = None


class Workload(Part):
    """What the server is asked, how fast, and how its answers are scored."""

    rules: ClassVar[tuple[Rule, ...]] = (
        decimal_within("hourlyPrice", "an hourlyPrice above 0", (">", 0), optional=True),
        Rule(
            "!has(self.load.maxRate) || has(self.slo)",
            "slo beside load.maxRate",
            lambda workload: workload.load.max_rate is None or workload.slo is not None,
            field="slo",
            suggestion="the highest rate is the one at which requests still keep slo",
            reads=("load", "slo"),
        ),
        decimal_within(
            "tolerateFailedRequests",
            "tolerateFailedRequests from 0 to below 1",
            (">=", 0),
            ("<", 1),
            suggestion='"0.01" tolerates one failed request in a hundred',
        ),
    )

    dataset: Annotated[Dataset, Field(description="What is asked.")]
    prompt: Annotated[
        Prompt, Field(description="How an item becomes messages; what the search does not vary.")
    ] = Prompt()
    load: Annotated[Load, Field(description="How requests arrive.")] = Load(concurrency=8)
    slo: Annotated[
        ServiceLevel | None, Field(description="Bounds that each request must keep to count as goodput.")
    ] = None
    evaluator: Annotated[
        Evaluator | None, Field(description="How answers are scored; by default as the data set says.")
    ] = None
    sampling: Annotated[
        ScalarMap, Field(description="Fields of every request that are fixed, such as `temperature`.")
    ] = Field(default_factory=dict)
    max_tokens: Annotated[int, Field(ge=1, le=131_072, description="Longest answer, in tokens.")] = 256
    output_tokens: Annotated[
        Annotated[int, Field(ge=1, le=131_072)] | None,
        Field(
            description="Length of every answer in tokens, in place of `maxTokens`: answers go on beyond"
            " their end, so that only speed is compared. They are not scored: no metric of quality can be"
            " asked for, and an optimization may search engine parameters only. What an engine is sent for it"
            " is said on the page of engines. Nothing is measured where answers have another length."
        ),
    ] = None
    hourly_price: Annotated[
        DecimalText | None,
        Field(
            description="What an hour of the hardware that serves costs, in any currency; the metrics"
            " `cost_per_…` need it."
        ),
    ] = None
    tolerate_failed_requests: Annotated[
        DecimalText,
        Field(
            description="Largest share of requests that may fail in a measurement; above it the measurement"
            " is invalid. A failed request counts as the slowest, and as none in throughput."
        ),
    ] = "0.01"


class MemoryGuard(Part):
    """Levels in percent of a device's memory; a GPU is at one only where little of it is free as well."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.warningPercent < self.criticalPercent && self.criticalPercent < self.emergencyPercent",
            "warningPercent below criticalPercent below emergencyPercent",
            lambda guard: guard.warning_percent < guard.critical_percent < guard.emergency_percent,
        ),
    )

    warning_percent: Annotated[int, Field(ge=1, le=100, description="Recorded.")] = 80
    critical_percent: Annotated[
        int, Field(ge=1, le=100, description="No new requests; the trial ends gracefully.")
    ] = 90
    emergency_percent: Annotated[int, Field(ge=1, le=100, description="The server is killed at once.")] = 95
    predict: Annotated[
        bool,
        Field(description="Refuse configurations that are predicted not to fit, before they are started."),
    ] = True
