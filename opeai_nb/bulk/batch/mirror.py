"""Copies of what is kept, on any file system that fsspec reaches: `s3://…`, `gs://…`, `memory://…`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opeai_nb.errors import InputError, LibraryError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from opeai_nb.client.values.generation import Generation


class Mirror:
    """Puts the pictures of generations below *url*; what was asked stands inside each file.

    A copy is made after the picture is kept: where it fails nothing is lost. Raises `InputError`
    where fsspec is not there or does not know the protocol.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            import fsspec  # type: ignore[import-untyped,import-not-found,unused-ignore]  # where it is there
        except ImportError as error:
            raise InputError(
                "fsspec is not installed.", advice='Install it: pip install "opeai_nb[dask]".'
            ) from error
        try:
            self._system, self._root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise InputError(f"fsspec cannot open {url.partition('://')[0]!r}: {error}.") from error

    def __repr__(self) -> str:
        return f"<Mirror: {self.url}>"

    def __reduce__(self) -> Any:
        return Mirror, (self.url,)

    def put(self, generation: Generation, copies: Sequence[tuple[Path, str]] = ()) -> None:
        """Copy what lies on the disk and is not there whole, or *copies* with their names.

        Raises `LibraryError`.
        """
        paths = generation.paths
        files = copies or [(path, path.name) for path in paths]
        try:
            self._system.makedirs(self._root, exist_ok=True)
            for path, name in files:
                target = f"{self._root.rstrip('/')}/{name}"
                if "/" in name:
                    self._system.makedirs(target.rpartition("/")[0], exist_ok=True)
                if not self._is_there(target, path.stat().st_size):
                    self._system.put_file(str(path), target)
        except Exception as error:
            # Each file system has errors of its own; they have no root in common.
            raise LibraryError(
                f"A copy could not be made: {type(error).__name__}.",
                advice="The picture is kept in the library; running again copies what is missing.",
            ) from error

    def _is_there(self, target: str, size: int) -> bool:
        """Tell whether a copy is whole: one that was cut off in the middle is made again."""
        try:
            return bool(self._system.size(target) == size)
        except FileNotFoundError:
            return False
