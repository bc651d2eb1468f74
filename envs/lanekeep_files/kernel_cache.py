"""Where compiled kernels are kept: one folder for all environments of a user, named by all that they were made from.

numba keeps compiled code beside each source file and makes it anew when that file changes, or its date.  A change in
another file, whose functions were copied into the kernel, goes unnoticed; every environment compiles for itself; and a
damaged file ends every start.  Here the kernels of a source file lie in

    FOLDER/MODULE-DIGEST        FOLDER: $NUMBA_CACHE_DIR, or else `lanekeep` in the user's own folder for caches

whose digest is that of the file, of all files of its package that it imports, directly or not, of the versions of numba,
llvmlite, numpy and Python, and of what numba's environment variables ask for.  The processor is part of numba's own key.
What is damaged is said in one line, and made anew.  The first kernel that a process compiles is announced by `logging`:
the rest takes up to two minutes.

numba has no public way to say where a function is kept; `keep_on_disk` falls back to numba's own cache where the classes
that this file derives from have changed.
"""

import hashlib
import importlib.metadata
import logging
import os
import pickle
import re
import sys
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from types import FunctionType
from typing import Any

from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile, _CacheLocator
from numba.misc.appdirs import user_cache_dir

LOG = logging.getLogger(__name__)
UNUSED_S = 60 * 24 * 3600.0  # kernels of sources that nobody has run for so long are deleted
IMPORT = re.compile(r"^\s*(?:from\s+([\w.]+)\s+import\s+(\([^)]*\)|[^\n]*)|import\s+([\w.]+))", re.MULTILINE)
NOT_PART_OF_THE_CODE = ("NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS", "NUMBA_CACHE_LOCATOR_CLASSES")


def keep_on_disk(compiled: Any) -> Any:
    """Have a function that numba compiles on demand kept on disk, and return it.

    Where no folder can be written, every process compiles for itself.
    """
    if isinstance(compiled, FunctionType):  # NUMBA_DISABLE_JIT: nothing is compiled
        return compiled
    try:
        compiled._cache = KernelCache(compiled.py_func)
    except (AttributeError, TypeError, RuntimeError):
        try:
            compiled.enable_caching()
        except RuntimeError:
            LOG.debug("%s is compiled by each process for itself", compiled.py_func.__qualname__)
    return compiled


def kernels_folder() -> Path:
    """Return the folder of all kernels of this user."""
    return Path(os.environ.get("NUMBA_CACHE_DIR") or user_cache_dir("lanekeep", appauthor=False))


@lru_cache(1000)
def digest_of_sources(source: Path) -> str:
    """Return the digest of a file of a package and of what it was compiled with; see above."""
    digest = hashlib.sha256(_compiled_with())
    for path in sorted(_reached_from(source)):
        digest.update(_content(path))
    return digest.hexdigest()[:16]


@lru_cache(1)
def _compiled_with() -> bytes:
    versions = [importlib.metadata.version(name) for name in ("numba", "llvmlite", "numpy")]
    asked = sorted(item for item in os.environ.items() if item[0].startswith("NUMBA_"))
    return repr(
        (versions, sys.version_info[:2], [item for item in asked if item[0] not in NOT_PART_OF_THE_CODE])
    ).encode()


@lru_cache(1000)
def _content(path: Path) -> bytes:
    return path.read_bytes()


def _package_root(source: Path) -> Path:
    """Return the folder in which the outermost package of a file lies."""
    folder = source.parent
    while (folder / "__init__.py").exists():
        folder = folder.parent
    return folder


def _reached_from(source: Path) -> set[Path]:
    """Return a file and all files of its package that it imports, directly or not."""
    reached, ahead = {source}, [source]
    while ahead:
        new = _imported(ahead.pop()) - reached
        reached |= new
        ahead += new
    return reached


@lru_cache(1000)
def _imported(source: Path) -> frozenset[Path]:
    """Return the files of its own package that a file imports; absolute imports are all that this project has."""
    root = _package_root(source)
    package = f"{source.relative_to(root).parts[0].removesuffix('.py')}."
    found = set()
    for module, names, plain in IMPORT.findall(_content(source).decode("utf8", "replace")):
        if not f"{module or plain}.".startswith(package):
            continue
        place = root.joinpath(*(module or plain).split("."))
        # `from package import name`: the name of a module, or of something in the package's own file
        within = [place / f"{name}.py" for name in re.findall(r"\w+", names)]
        found |= {path for path in (place.with_suffix(".py"), place / "__init__.py", *within) if path.is_file()}
    return frozenset(found)


class KernelLocator(_CacheLocator):
    """Says to numba where the kernels of one source file lie."""

    def __init__(self, source: Path) -> None:
        self._folder = kernels_folder() / f"{source.stem}-{digest_of_sources(source)}"

    @classmethod
    def from_function(cls, function: Any, file: str) -> "KernelLocator | None":
        """Return the locator of a function in this file, or None if there is no such file."""
        source = Path(file)
        return cls(source) if source.is_file() else None

    def get_cache_path(self) -> str:
        """Return the folder."""
        return str(self._folder)

    def ensure_cache_path(self) -> None:
        """Make the folder; the first kernel of a new one deletes the folders that nobody has used for long."""
        if not self._folder.is_dir():
            self._folder.mkdir(parents=True, exist_ok=True)
            delete_unused(kernels_folder())

    def get_source_stamp(self) -> str:
        """Return what numba compares with the sources' state: nothing, since the folder's name tells it."""
        return ""

    def get_disambiguator(self) -> str:
        """Return what tells functions of one name apart: nothing, a module has no two."""
        return ""


def delete_unused(folder: Path) -> None:
    """Delete the kernels in a folder whose sources nobody has run for `UNUSED_S` [s]."""
    for old in folder.glob("*-????????????????"):
        try:
            if old.stat().st_mtime < time.time() - UNUSED_S:
                for file in old.iterdir():
                    file.unlink()
                old.rmdir()
        except OSError:
            LOG.debug("%s stays", old)


class CheckedFile(IndexDataCacheFile):
    """numba's files of one function, with a digest before the compiled code: a damaged one would run, and crash."""

    def _dump(self, content: Any) -> bytes:
        data: bytes = super()._dump(content)
        return hashlib.sha256(data).digest() + data

    def _load_index(self) -> dict[Any, str]:
        try:
            with open(self._index_path, "rb") as file:
                version = pickle.load(file)
                overloads: dict[Any, str] = _checked(file.read())[1] if version == self._version else {}
        except OSError:
            return {}
        except Exception as error:  # whatever unpickling makes of a damaged file
            LOG.warning("%s is damaged (%s): compiled anew", self._index_path, error)
            with suppress(OSError):
                os.unlink(self._index_path)
            return {}
        return overloads

    def _load_data(self, name: str) -> Any:
        return _checked(Path(self._data_path(name)).read_bytes())


def _checked(data: bytes) -> Any:
    """Return what `CheckedFile` wrote."""
    if hashlib.sha256(data[32:]).digest() != data[:32]:
        raise ValueError("the digest does not fit")
    return pickle.loads(data[32:])


class KernelImpl(CompileResultCacheImpl):
    """numba's way to take compiled code apart and put it together, with our folder."""

    _locator_classes = [KernelLocator]  # type: ignore[list-item]


class KernelCache(FunctionCache):
    """The compiled versions of one function."""

    _impl_class = KernelImpl

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        self._cache_file = CheckedFile(self._cache_path, self._impl.filename_base, "")
        self._used = False

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """Return the version for these types of arguments, or None: it is compiled then."""
        try:
            loaded = super().load_overload(signature, target_context)
        except Exception as error:
            LOG.warning("%s in %s is damaged (%s): compiled anew", self._py_func.__name__, self._cache_path, error)
            loaded = None
        if loaded is None:
            _announce()
        elif not self._used:
            self._used = True
            _touch(self._cache_path)
        return loaded

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Keep a version, unless the folder cannot be written."""
        try:
            super().save_overload(signature, compiled)
        except OSError as error:
            LOG.debug("%s is not kept: %s", self._py_func.__name__, error)


@lru_cache(1)
def _announce() -> None:
    """Say once a process why it seems to stand still."""
    LOG.warning("compiling for this machine, up to two minutes; kept in %s for the next time", kernels_folder())


@lru_cache(1000)
def _touch(folder: str) -> None:
    """Say once a process that a folder is in use."""
    try:
        os.utime(folder)
    except OSError:
        LOG.debug("%s cannot be marked as used", folder)
