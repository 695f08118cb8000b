"""As much of Kubernetes' object metadata as this project reads; what else is there passes through."""

from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from llmopt_core.resources.base import Name, Part


class Metadata(Part):
    """Name, namespace and identity of a resource."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")

    name: Name
    namespace: Name | None = None
    uid: Annotated[str, Field(max_length=64)] | None = None
    generation: int | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
