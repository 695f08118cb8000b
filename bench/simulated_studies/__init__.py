"""Studies whose truth is known, verified: what `bench/verification.py` reports on."""
