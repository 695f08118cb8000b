"""Every manifest of config/samples, applied as it is: accepted by the operator, and run to its end."""

import re

import pytest
import yaml
from fakes.sample_manifests import SAMPLES

from llmopt_core.api.kinds import Kind

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_sample_is_run_to_its_end(tenant, operator, path):
    """Nothing in it but its namespace is changed; one Job spends its budget, or ends without more to gain.

    The Secret that it refers to has the label that the default policy asks for.
    """
    document = yaml.safe_load(path.read_text())
    name, plural = document["metadata"]["name"], Kind(document["kind"]).plural
    document["metadata"]["namespace"] = tenant.namespace
    for secret in set(re.findall(r"SecretRef:\s+name: (\S+)", path.read_text())):
        metadata = {"name": secret, "labels": {"llmopt.dev/allowed": "true"}}
        tenant.api.create(tenant.path("", "secrets"), {"metadata": metadata, "stringData": {"token": "x"}})
    tenant.api.create(tenant.path("llmopt.dev/v1alpha1", plural), document)
    with tenant.kubelet():
        reason = tenant.until(name, "Complete", "True", plural=plural)["reason"]
    progress = tenant.status(name, plural=plural)["progress"]
    early = progress["finished"] < progress["budget"]
    assert reason == ("NothingMoreToGain" if early else "TrialsExhausted")
    assert len(tenant.jobs()) == 1
