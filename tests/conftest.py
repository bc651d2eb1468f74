"""Compiled kernels are cached under a name that changes with the sources: no test runs a stale one."""

import hashlib
import os
import tempfile
from importlib.util import find_spec
from pathlib import Path

sources = []
for room in ("lanekeep_envs", "lanekeep_policies"):
    spec = find_spec(room)
    assert spec is not None and spec.origin is not None
    sources += sorted(Path(spec.origin).parent.rglob("*.py"))
digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / f"lanekeep-kernels-{digest}"))
