"""How the API server is reached: the pod's service account, else a kubeconfig, as kopf itself logs in."""

import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import kopf

from llmopt_core.errors.classes import LlmoptError

_log = logging.getLogger(__name__)
# Service accounts' tokens are replaced by the kubelet long before they end.
_LOGIN_SECONDS = 60.0
# Requests that hang in eight namespaces leave none for the rest, until their timeout.
_MOST_AT_ONCE = 32


class NotInCluster(LlmoptError):
    """There is neither a service account nor a kubeconfig."""


def login() -> kopf.ConnectionInfo:
    """Return how to reach the API server now; raises NotInCluster."""
    settings = kopf.OperatorSettings()
    if (own := kopf.login_with_service_account(settings=settings)) is not None:
        return replace(own, server=address_in_cluster(os.environ) or own.server)
    if (info := kopf.login_with_kubeconfig(settings=settings)) is not None:
        return info
    raise NotInCluster("no service account is mounted here, and KUBECONFIG names no file")


def address_in_cluster(environment: Mapping[str, str]) -> str | None:
    """Return the API server's address that every pod is given: it needs no name to be resolved."""
    host, port = environment.get("KUBERNETES_SERVICE_HOST"), environment.get("KUBERNETES_SERVICE_PORT")
    if not host or not port:
        return None
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


@dataclass
class Connection:
    """One HTTP session to the API server, with credentials that are read again as they are replaced."""

    session: aiohttp.ClientSession
    info: kopf.ConnectionInfo
    _read_at: float = field(default_factory=time.monotonic)

    @classmethod
    def open(cls) -> "Connection":
        """Open a session; close it by `close`. Raises NotInCluster."""
        info = login()
        connector = aiohttp.TCPConnector(limit=_MOST_AT_ONCE, ssl=info.as_ssl_context())
        timeout = aiohttp.ClientTimeout(total=30)
        session = aiohttp.ClientSession(
            connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
        )
        return cls(session, info)

    def headers(self) -> Mapping[str, str]:
        """Return the headers that say who asks."""
        if time.monotonic() - self._read_at > _LOGIN_SECONDS:
            self.info, self._read_at = login(), time.monotonic()
        return self.info.as_http_headers()

    def url(self, path: str) -> str:
        """Return the whole address of `path`."""
        return f"{(self.info.server or '').rstrip('/')}{path}"

    async def close(self) -> None:
        """Close the session."""
        await self.session.close()


def kopf_login(**_: Any) -> kopf.ConnectionInfo:
    """Log kopf's own watches in the same way."""
    return login()
