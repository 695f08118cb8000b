import pytest

from llmopt_operator.adapters.connections import address_in_cluster


@pytest.mark.parametrize(
    ("host", "port", "address"),
    [
        ("10.96.0.1", "443", "https://10.96.0.1:443"),
        ("fd00::1", "6443", "https://[fd00::1]:6443"),
        ("", "443", None),
        ("10.96.0.1", "", None),
    ],
)
def test_the_api_server_is_reached_without_a_name(host: str, port: str, address: str | None) -> None:
    """A pod's own environment says where the API server is, so that it is found where DNS is away."""
    environment = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
    assert address_in_cluster(environment) == address


def test_outside_of_a_cluster_nothing_is_known() -> None:
    """A process that is no pod gets no address."""
    assert address_in_cluster({}) is None
