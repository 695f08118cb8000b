"""What every tier shares: no property test fails by the time that it takes."""

from hypothesis import HealthCheck, settings

# That says how busy the machine is, or that hypothesis builds its Unicode tables in a first run, and nothing
# of what is tested.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
