"""What is served and with what: the parts of a manifest that both kinds share."""

import re
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from llmopt_core.resources.base import DecimalText, DurationText, Identifier, Name, Part, ScalarMap
from llmopt_core.resources.rules import Rule

SOURCE_PATTERN = r"^(hf|pvc|file|package)://.+$"
URL_PATTERN = r"^https?://.+$"
_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?")


def _quantity(amount: Any) -> Any:
    if isinstance(amount, bool) or not isinstance(amount, int | str) or not _QUANTITY.fullmatch(str(amount)):
        raise ValueError("an amount such as 2, 500m or 8Gi")
    return amount


def _given(*fields: object) -> int:
    return sum(field is not None for field in fields)


class SecretKey(Part):
    """A key of a Secret in the resource's own namespace."""

    name: Name
    key: Annotated[str, Field(min_length=1, max_length=253)]


class Model(Part):
    """Where the weights come from."""

    source: Annotated[str, Field(pattern=SOURCE_PATTERN, max_length=512)]
    token_secret_ref: SecretKey | None = None
    trust_remote_code: bool = False


class Endpoint(Part):
    """A server that runs already."""

    url: Annotated[str, Field(pattern=URL_PATTERN, max_length=512)]
    model: Annotated[str, Field(max_length=256)] | None = None
    api_key_secret_ref: SecretKey | None = None


class Engine(Part):
    """Which inference server, and what is fixed about it."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "(self.name == 'openai') == has(self.endpoint)",
            "an endpoint with engine openai, and with no other",
            lambda engine: (engine.name == "openai") == (engine.endpoint is not None),
            suggestion="openai needs endpoint.url; other engines are started, so remove endpoint",
        ),
    )

    name: Identifier
    args: ScalarMap = Field(default_factory=dict)
    endpoint: Endpoint | None = None
    start_timeout: DurationText = "10m"


class ConfigMapKey(Part):
    """A key of a ConfigMap in the resource's own namespace."""

    name: Name
    key: Annotated[str, Field(min_length=1, max_length=253)]


class Dataset(Part):
    """Which items are asked: one of a built-in name, a ConfigMap's key, a JSONL file, a hub data set."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "[has(self.name), has(self.configMapKeyRef), has(self.path), has(self.hf)]"
            ".filter(given, given).size() == 1",
            "exactly one of name, configMapKeyRef, path and hf",
            lambda data: _given(data.name, data.config_map_key_ref, data.path, data.hf) == 1,
        ),
        Rule(
            "!has(self.split) || has(self.hf)",
            "split only with hf",
            lambda data: data.split is None or data.hf is not None,
            field="split",
        ),
    )

    name: Identifier | None = None
    config_map_key_ref: ConfigMapKey | None = None
    path: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    hf: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    split: Annotated[str, Field(max_length=64)] | None = None
    samples: Annotated[int, Field(ge=4, le=10_000)] = 32
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0


class Prompt(Part):
    """How an item becomes messages. `template` holds `{question}`."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.template) || self.template.contains('{question}')",
            "a template that holds {question}",
            lambda prompt: prompt.template is None or "{question}" in prompt.template,
            field="template",
        ),
    )

    system: Annotated[str, Field(max_length=8192)] | None = None
    template: Annotated[str, Field(max_length=8192)] | None = None
    few_shot: Annotated[int, Field(ge=0, le=32)] = 0


class Load(Part):
    """How requests arrive: a fixed concurrency (closed loop), or a rate (open loop, Poisson)."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.concurrency) != has(self.rate)",
            "exactly one of concurrency and rate",
            lambda load: _given(load.concurrency, load.rate) == 1,
        ),
        Rule(
            "!has(self.rate) || double(self.rate) > 0.0",
            "a rate above 0",
            lambda load: load.rate is None or Decimal(load.rate) > 0,
            field="rate",
        ),
        Rule(
            "has(self.rate) || !(has(self.arrivals) || has(self.duration))",
            "arrivals and duration only with rate",
            lambda load: load.rate is not None or _given(load.arrivals, load.duration) == 0,
        ),
    )

    concurrency: Annotated[int, Field(ge=1, le=1024)] | None = None
    rate: Annotated[DecimalText | None, Field(description="Requests per second, on average.")] = None
    arrivals: Literal["poisson"] | None = None
    duration: DurationText | None = None
    warmup_requests: Annotated[int, Field(ge=0, le=1000)] = 2


class ServiceLevel(Part):
    """What one request must keep to count towards goodput."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.ttftMs) || has(self.tpotMs) || has(self.e2eMs)",
            "at least one of ttftMs, tpotMs and e2eMs",
            lambda level: _given(level.ttft_ms, level.tpot_ms, level.e2e_ms) > 0,
        ),
    )

    ttft_ms: Annotated[int, Field(ge=1, le=3_600_000)] | None = None
    tpot_ms: Annotated[int, Field(ge=1, le=3_600_000)] | None = None
    e2e_ms: Annotated[
        Annotated[int, Field(ge=1, le=3_600_000)] | None,
        Field(alias="e2eMs", description="From sending the request to the end of its answer."),
    ] = None


class Evaluator(Part):
    """How an answer is scored. `endpoint` is the judge's, or the scoring service's."""

    name: Identifier
    args: ScalarMap = Field(default_factory=dict)
    endpoint: Endpoint | None = None


class Workload(Part):
    """What the server is asked, how fast, and how its answers are scored."""

    dataset: Dataset
    prompt: Prompt = Prompt()
    load: Load = Load(concurrency=8)
    slo: ServiceLevel | None = None
    evaluator: Evaluator | None = None
    sampling: ScalarMap = Field(default_factory=dict)
    max_tokens: Annotated[int, Field(ge=1, le=131_072)] = 256


class MemoryGuard(Part):
    """Levels in percent of a device's memory."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.warningPercent < self.criticalPercent && self.criticalPercent < self.emergencyPercent",
            "warningPercent below criticalPercent below emergencyPercent",
            lambda guard: guard.warning_percent < guard.critical_percent < guard.emergency_percent,
        ),
    )

    warning_percent: Annotated[int, Field(ge=1, le=100)] = 80
    critical_percent: Annotated[int, Field(ge=1, le=100)] = 90
    emergency_percent: Annotated[int, Field(ge=1, le=100)] = 95
    predict: bool = True


class Toleration(Part):
    """As in a pod."""

    key: Annotated[str, Field(max_length=316)] | None = None
    operator: Literal["Exists", "Equal"] | None = None
    value: Annotated[str, Field(max_length=63)] | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None


# An amount in Kubernetes' notation, such as 2, 500m or 8Gi.
Quantity = Annotated[int | str, BeforeValidator(_quantity)]
ResourceName = Annotated[str, Field(min_length=1, max_length=316)]
LabelKey = Annotated[str, Field(min_length=1, max_length=317)]
LabelValue = Annotated[str, Field(max_length=63)]


class Resources(Part):
    """As in a container."""

    requests: Annotated[dict[ResourceName, Quantity], Field(max_length=16)] = Field(default_factory=dict)
    limits: Annotated[dict[ResourceName, Quantity], Field(max_length=16)] = Field(default_factory=dict)


class PodTemplate(Part):
    """What of a runner's pod the user decides."""

    node_selector: Annotated[dict[LabelKey, LabelValue], Field(max_length=16)] = Field(default_factory=dict)
    tolerations: Annotated[list[Toleration], Field(max_length=16)] = Field(default_factory=list)
    service_account_name: Name | None = None
    runtime_class_name: Name | None = None
    priority_class_name: Annotated[str, Field(max_length=253)] | None = None
    image_pull_secrets: Annotated[list[Name], Field(max_length=8)] = Field(default_factory=list)
    labels: Annotated[dict[LabelKey, LabelValue], Field(max_length=32)] = Field(default_factory=dict)
    annotations: Annotated[dict[LabelKey, Annotated[str, Field(max_length=1024)]], Field(max_length=32)] = (
        Field(default_factory=dict)
    )


class Runners(Part):
    """How many runners measure side by side, and where."""

    count: Annotated[int, Field(ge=1, le=32)] = 1
    image: Annotated[str, Field(max_length=512)] | None = None
    resources: Resources = Resources()
    queue_name: Name | None = None
    cache_claim: Name | None = None
    template: PodTemplate = PodTemplate()
