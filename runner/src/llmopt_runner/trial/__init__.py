"""One trial: a workload measured on a loaded engine, judged, with an outcome.

Which trial is next, and when a study ends, is left to `loop`; loading engines to `engine_slot`. Read
`trial_runner` first.
"""
