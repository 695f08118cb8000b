"""What the tests of a running operator share beside its tenant."""

import pytest

_POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
_BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"


@pytest.fixture
def policy(tenant):
    """Return what denies the creation of a kind of objects in the tenant's namespace, until it is lifted."""
    name, made = tenant.namespace, []

    def lift():
        while made:
            tenant.api.delete(f"{made.pop()}/{name}")

    def deny(group, resource, text):
        rule = {"apiGroups": [group], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"]}
        matches = {"resourceRules": [{**rule, "resources": [resource]}]}
        api_version = "admissionregistration.k8s.io/v1"
        head = {"apiVersion": api_version, "metadata": {"name": name}}
        spec = {"matchConstraints": matches, "validations": [{"expression": "false", "message": text}]}
        tenant.api.create(_POLICIES, {**head, "kind": "ValidatingAdmissionPolicy", "spec": spec})
        only = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": tenant.namespace}}}
        bound = {"policyName": name, "validationActions": ["Deny"], "matchResources": only}
        tenant.api.create(_BINDINGS, {**head, "kind": "ValidatingAdmissionPolicyBinding", "spec": bound})
        made.extend((_POLICIES, _BINDINGS))
        return lift

    yield deny
    lift()
