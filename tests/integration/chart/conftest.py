from pathlib import Path

import pytest
from fakes.charts import VARIANTS, Rendered, rendered


@pytest.fixture(scope="session", params=VARIANTS)
def variant(request: pytest.FixtureRequest, helm: Path) -> tuple[str, Rendered]:
    """Each variant of the values: its name, and what it renders to."""
    return request.param, rendered(helm, VARIANTS[request.param])
