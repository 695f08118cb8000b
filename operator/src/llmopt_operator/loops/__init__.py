"""What runs beside the watches, over all resources: studies that changed, that are dropped, and the audit.

The loops only queue and clean up; one resource is brought nearer to what it asks for in `reconciling`. Read
`study_changes` first.
"""
