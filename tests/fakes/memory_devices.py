"""Main memory whose numbers a test sets."""

from llmopt_core.occupancy import Occupancy
from llmopt_runner.host.occupancy import DeviceUnreadable, Holder


class FakeDevice:
    """Says what it is asked to; `used` and `held` may be changed at any time."""

    kind = name = "host"
    keeps_cache = False

    def __init__(self, total=1000.0, used=0.0):
        self.total, self.used = total, used
        self.held = {}  # MiB by process
        self.kills = 0
        self.readable = True

    def occupancy(self):
        if not self.readable:
            raise DeviceUnreadable(f"{self.name} is gone")
        return Occupancy(self.total, self.used)

    def total_mib(self):
        return self.occupancy().total_mib

    def used_mib(self):
        return self.occupancy().used_mib

    def used_by_mib(self, pids):
        return sum(self.held.get(pid, 0.0) for pid in pids)

    def listed(self):
        return {}

    def holders(self):
        held = sorted(self.held.items(), key=lambda pair: -pair[1])
        return [Holder(pid, f"process-{pid}", mib) for pid, mib in held]

    def own(self):
        return self.used_mib(), self.holders()

    def oom_kills(self):
        return self.kills

    def energy_joules(self):
        return None

    def clock_events(self):
        return 0

    def memory_errors(self):
        return 0
