"""Real faults on real processes: several gateways, one ledger, a mock engine that logs what it emits.

`deploy/crash` runs it. A scenario gets a `Rig` of its own (`rig.py`), puts load on it (`driver.py`), injects faults,
and is judged by the oracles (`oracles.py`) once everything has come to rest.
"""
