"""Where runners run: what of their Job and pods a manifest decides. A typed part of Kubernetes' own types."""

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from llmopt_core.resources.base import Name, Part
from llmopt_core.resources.rules import Rule, UniqueBy

PATH_PATTERN = r"^/([A-Za-z0-9._-]+/)*[A-Za-z0-9._-]+$"
VARIABLE_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*$"
_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?")


def _quantity(amount: Any) -> Any:
    if isinstance(amount, bool) or not isinstance(amount, int | str) or not _QUANTITY.fullmatch(str(amount)):
        raise ValueError("an amount such as 2, 500m or 8Gi")
    return amount


class Toleration(Part):
    """As in a pod."""

    key: Annotated[
        Annotated[str, Field(max_length=316)] | None,
        Field(description="Taint key; all keys when empty, with operator Exists."),
    ] = None
    operator: Annotated[Literal["Exists", "Equal"] | None, Field(description="As in a pod.")] = None
    value: Annotated[Annotated[str, Field(max_length=63)] | None, Field(description="Taint value.")] = None
    effect: Annotated[
        Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None,
        Field(description="Taint effect; all effects when empty."),
    ] = None
    toleration_seconds: Annotated[
        Annotated[int, Field(ge=0, le=2**31 - 1)] | None,
        Field(description="As in a pod, with effect NoExecute."),
    ] = None


# An amount in Kubernetes' notation, such as 2, 500m or 8Gi.
Quantity = Annotated[int | str, BeforeValidator(_quantity)]
ResourceName = Annotated[str, Field(min_length=1, max_length=316)]
LabelKey = Annotated[str, Field(min_length=1, max_length=317)]
LabelValue = Annotated[str, Field(max_length=63)]


class Resources(Part):
    """As in a container."""

    requests: Annotated[
        dict[ResourceName, Quantity],
        Field(max_length=16, description="What a runner is scheduled by, server included."),
    ] = Field(default_factory=dict)
    limits: Annotated[
        dict[ResourceName, Quantity],
        Field(max_length=16, description="What a runner may use, server included."),
    ] = Field(default_factory=dict)


class MatchExpression(Part):
    """As in a selector: a label, an operator, values."""

    key: Annotated[LabelKey, Field(description="The label.")]
    operator: Annotated[
        Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"], Field(description="As in a pod.")
    ]
    values: Annotated[list[LabelValue], Field(max_length=32, description="As in a pod.")] = Field(
        default_factory=list
    )


class NodeSelectorTerm(Part):
    """As in a pod: all of its expressions hold."""

    match_expressions: Annotated[
        list[MatchExpression], Field(min_length=1, max_length=16, description="All of them hold.")
    ]


class NodeSelector(Part):
    """As in a pod: one of its terms holds."""

    node_selector_terms: Annotated[
        list[NodeSelectorTerm], Field(min_length=1, max_length=8, description="One of them holds.")
    ]


class PreferredNodes(Part):
    """As in a pod."""

    weight: Annotated[int, Field(ge=1, le=100, description="Against other preferences.")]
    preference: Annotated[NodeSelectorTerm, Field(description="The nodes.")]


class NodeAffinity(Part):
    """As in a pod."""

    required_during_scheduling_ignored_during_execution: Annotated[
        NodeSelector | None, Field(description="Nodes that runners may be on.")
    ] = None
    preferred_during_scheduling_ignored_during_execution: Annotated[
        list[PreferredNodes], Field(max_length=8, description="Nodes that runners would rather be on.")
    ] = Field(default_factory=list)


class LabelSelector(Part):
    """As in a pod."""

    match_labels: Annotated[
        dict[LabelKey, LabelValue], Field(max_length=16, description="Labels and their values.")
    ] = Field(default_factory=dict)
    match_expressions: Annotated[
        list[MatchExpression], Field(max_length=16, description="All of them hold.")
    ] = Field(default_factory=list)


class PodAffinityTerm(Part):
    """As in a pod, for pods of the same namespace."""

    label_selector: Annotated[LabelSelector, Field(description="Which pods.")]
    topology_key: Annotated[
        LabelKey, Field(description="Label of nodes that are one place, such as `kubernetes.io/hostname`.")
    ]


class PodAntiAffinity(Part):
    """As in a pod."""

    required_during_scheduling_ignored_during_execution: Annotated[
        list[PodAffinityTerm], Field(max_length=8, description="Pods that runners may not be beside.")
    ] = Field(default_factory=list)


class Affinity(Part):
    """Where runners run, as in a pod."""

    node_affinity: Annotated[NodeAffinity | None, Field(description="By the nodes' labels.")] = None
    pod_anti_affinity: Annotated[PodAntiAffinity | None, Field(description="By the pods that are there.")] = (
        None
    )


class ClaimVolume(Part):
    """A PersistentVolumeClaim of the resource's namespace."""

    claim_name: Annotated[Name, Field(description="Name of the claim.")]


class EmptyVolume(Part):
    """An empty folder that goes with the pod."""

    medium: Annotated[Literal["Memory"] | None, Field(description="In memory, not on disk.")] = None
    size_limit: Annotated[Quantity | None, Field(description="Largest size, such as 8Gi.")] = None


class ConfigMapVolume(Part):
    """A ConfigMap of the resource's namespace."""

    name: Annotated[Name, Field(description="Name of the ConfigMap.")]


# Where the operator mounts what every runner needs.
_TAKEN = ("/etc/llmopt", "/opt/llmopt", "/results", "/tmp", "/cache", "/models", "/dev", "/proc", "/sys")  # noqa: S108 - paths in a pod


def _is_taken(path: str) -> bool:
    return path == "/" or any(path == taken or path.startswith(f"{taken}/") for taken in _TAKEN)


class ExtraVolume(Part):
    """A volume and where it is mounted: of exactly one kind."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "[has(self.persistentVolumeClaim), has(self.emptyDir), has(self.configMap)]"
            ".filter(given, given).size() == 1",
            "exactly one of persistentVolumeClaim, emptyDir and configMap",
            lambda volume: len(volume.kinds) == 1,
        ),
        Rule(
            "self.mountPath != '/' && !["
            + ", ".join(f"'{taken}'" for taken in _TAKEN)
            + "].exists(taken, self.mountPath == taken || self.mountPath.startsWith(taken + '/'))",
            f"a mountPath outside {', '.join(_TAKEN)}",
            lambda volume: not _is_taken(volume.mount_path),
            field="mountPath",
        ),
    )

    name: Annotated[Name, Field(description="What the pod calls it.")]
    mount_path: Annotated[
        str, Field(pattern=PATH_PATTERN, max_length=512, description="Where runners find it.")
    ]
    read_only: Annotated[bool, Field(description="Whether runners may only read it.")] = False
    persistent_volume_claim: Annotated[
        ClaimVolume | None, Field(description="A claim of the same namespace.")
    ] = None
    empty_dir: Annotated[EmptyVolume | None, Field(description="A folder that goes with the pod.")] = None
    config_map: Annotated[ConfigMapVolume | None, Field(description="A ConfigMap of the same namespace.")] = (
        None
    )

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that are given, as a pod writes them."""
        given = {
            "persistentVolumeClaim": self.persistent_volume_claim,
            "emptyDir": self.empty_dir,
            "configMap": self.config_map,
        }
        return tuple(kind for kind, volume in given.items() if volume is not None)


class ResourceClaim(Part):
    """A claim of dynamic resource allocation, as in a pod: an own one, or one made for each runner."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.resourceClaimName) != has(self.resourceClaimTemplateName)",
            "exactly one of resourceClaimName and resourceClaimTemplateName",
            lambda claim: (claim.resource_claim_name is None) != (claim.resource_claim_template_name is None),
        ),
    )

    name: Annotated[Name, Field(description="What the pod calls it.")]
    resource_claim_name: Annotated[Name | None, Field(description="A claim that exists.")] = None
    resource_claim_template_name: Annotated[
        Name | None, Field(description="What each runner's own claim is made from.")
    ] = None


# Set by the operator for every runner, or where secrets belong that spec.model and its like refer to.
_OWN_VARIABLES = ("HOME", "HF_HOME", "HF_TOKEN", "PATH")


class EnvironmentVariable(Part):
    """One variable of a runner and its engines; its value is no secret, for everybody reads a manifest."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!self.name.startsWith('LLMOPT_') && !(self.name in ["
            + ", ".join(f"'{name}'" for name in _OWN_VARIABLES)
            + "])",
            f"a name other than LLMOPT_… and {', '.join(_OWN_VARIABLES)}, which the operator sets",
            lambda variable: not variable.name.startswith("LLMOPT_") and variable.name not in _OWN_VARIABLES,
            field="name",
        ),
        Rule(
            "!self.value.contains('$(')",
            "a value without $(…): it is taken as it is written",
            lambda variable: "$(" not in variable.value,
            field="value",
        ),
    )

    name: Annotated[
        str,
        Field(pattern=VARIABLE_PATTERN, max_length=128, description="Such as NCCL_DEBUG."),
    ]
    value: Annotated[str, Field(max_length=2048, description="Its value.")] = ""


class PodTemplate(Part):
    """What of a runner's pod the user decides."""

    node_selector: Annotated[
        dict[LabelKey, LabelValue], Field(max_length=16, description="Labels of the nodes to run on.")
    ] = Field(default_factory=dict)
    tolerations: Annotated[
        list[Toleration], Field(max_length=16, description="Taints that are tolerated.")
    ] = Field(default_factory=list)
    affinity: Annotated[Affinity | None, Field(description="As in a pod.")] = None
    volumes: Annotated[
        list[ExtraVolume],
        Field(max_length=8, description="Further volumes, mounted into the runner."),
        UniqueBy("name"),
    ] = Field(default_factory=list)
    resource_claims: Annotated[
        list[ResourceClaim],
        Field(max_length=4, description="Claims of dynamic resource allocation, such as GPUs."),
        UniqueBy("name"),
    ] = Field(default_factory=list)
    env: Annotated[
        list[EnvironmentVariable],
        Field(
            max_length=32,
            description="Environment variables of runners and engines, if the policy allows their names.",
        ),
        UniqueBy("name"),
    ] = Field(default_factory=list)
    service_account_name: Annotated[
        Name | None,
        Field(description="Runners have no rights of their own; for image pulls and workload identity."),
    ] = None
    runtime_class_name: Annotated[Name | None, Field(description="As in a pod.")] = None
    priority_class_name: Annotated[
        Annotated[str, Field(max_length=253)] | None, Field(description="As in a pod.")
    ] = None
    image_pull_secrets: Annotated[list[Name], Field(max_length=8, description="Names of Secrets.")] = Field(
        default_factory=list
    )
    labels: Annotated[dict[LabelKey, LabelValue], Field(max_length=32, description="Further labels.")] = (
        Field(default_factory=dict)
    )
    annotations: Annotated[
        dict[LabelKey, Annotated[str, Field(max_length=1024)]],
        Field(max_length=32, description="Further annotations."),
    ] = Field(default_factory=dict)


class Runners(Part):
    """How many runners measure side by side, and where."""

    count: Annotated[
        int,
        Field(ge=1, le=32, description="Runners that measure side by side, each with a server of its own."),
    ] = 1
    image: Annotated[
        Annotated[str, Field(max_length=512)] | None,
        Field(description="Runner image; by default the operator's."),
    ] = None
    resources: Annotated[Resources, Field(description="Of each runner.")] = Resources()
    queue_name: Annotated[Name | None, Field(description="Kueue queue that admits the Job.")] = None
    cache_claim: Annotated[
        Name | None, Field(description="PersistentVolumeClaim that keeps downloaded models.")
    ] = None
    template: Annotated[PodTemplate, Field(description="What of a runner's pod is decided here.")] = (
        PodTemplate()
    )
