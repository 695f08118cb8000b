"""What a runner reports to Prometheus: its trials, the values it finds, its memory and GPUs, its errors.

Imported only where metrics are asked for: the client library costs a tenth of a second. Counts are this
runner's own, so a sum over runners counts no trial twice; what stands for the whole study says so in its
help. No label holds a trial, and every label takes few values. Judging is left to dashboards and alerts. Read
`metrics` first.
"""
