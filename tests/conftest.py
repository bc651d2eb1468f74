"""Compiled kernels are cached under a name that changes with the sources: no test runs a stale one."""

import hashlib
import os
import tempfile
from importlib.util import find_spec
from pathlib import Path

spec = find_spec("lanekeep_envs")
assert spec is not None and spec.origin is not None
sources = sorted(Path(spec.origin).parent.glob("*.py"))
digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / f"lanekeep-kernels-{digest}"))
