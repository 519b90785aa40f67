"""What whoever starts a request may say about the run, besides what is asked for."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

from opeai_nb.client.protocol.poll import Patience
from opeai_nb.fields import DEFAULT_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a request is run. Raises `InputError` for a *timeout* that is none.

    *fresh* sends even where something could be shown. *timeout* is how long a task is waited for,
    in seconds. *metadata* overrides the setting for these pictures. *beyond_limit* says that
    somebody agreed to more than `max_images_per_session`. With *send_unknown*, a request whose
    outcome is unknown since an earlier run is sent anew.
    """

    fresh: bool = False
    timeout: float = DEFAULT_TIMEOUT
    metadata: bool | None = None
    beyond_limit: bool = False
    send_unknown: bool = False

    def __post_init__(self) -> None:
        Patience(self.timeout)

    @classmethod
    def split(cls, given: Mapping[str, Any]) -> tuple[Self, dict[str, Any]]:
        """Return the options among *given*, and all the rest."""
        names = {item.name for item in fields(cls)}
        options = {name: value for name, value in given.items() if name in names}
        return cls(**options), {name: value for name, value in given.items() if name not in names}
