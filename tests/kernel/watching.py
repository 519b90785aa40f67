"""Reading what a kernel publishes, as it comes."""

from __future__ import annotations

from typing import Any


def wait_for_badge(kernel: Any, message: str, word: str) -> None:
    """Read what a cell publishes until its badge says *word*."""
    while True:
        got = kernel.client.get_iopub_msg(timeout=30)
        text = got["content"].get("data", {}).get("text/plain", "")
        if got["parent_header"].get("msg_id") == message and word in text:
            return


def read_updates(
    kernel: Any, message: str, until: str, *, word: str = "", mime: str = "text/plain"
) -> dict[str, dict[str, str]]:
    """Read updates of slots, whatever cell they come from, until the slot *until* holds *mime*.

    Ends when also the cell of *message* is over. Returns the last bundle of each slot by its id.
    """
    last: dict[str, dict[str, str]] = {}
    idle = False
    while not (idle and mime in last.get(until, {}) and word in last[until][mime]):
        got = kernel.client.get_iopub_msg(timeout=30)
        content = got["content"]
        if got["msg_type"] == "update_display_data":
            last[content["transient"]["display_id"]] = content["data"]
        elif got["msg_type"] == "status" and got["parent_header"].get("msg_id") == message:
            idle = idle or content["execution_state"] == "idle"
    kernel.reply(message, 30)
    return last
