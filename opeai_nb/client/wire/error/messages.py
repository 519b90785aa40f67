"""What is said of answers in several places, word by word: some of it is looked for again."""

from __future__ import annotations

from typing import Final

LACKS_USER: Final = "it wants a user and a password"
PROXY_USER: Final = (
    "Put them into the variable that names the proxy, as http://user:password@host:port, with "
    "%40 for an @ in them."
)
KEPT: Final = (
    "What came is kept in error.answer, and in a library's journal: `%imagine resume` reads it "
    "again, also after an update."
)
UNFINISHED: Final = "The answer came before this picture was painted."
EMPTY: Final = "The platform sent an empty item instead of a picture."
NO_OBJECT: Final = "The platform sent an empty item instead of a picture: no object."
NO_BYTES: Final = "The platform sent an item with neither bytes nor a URL: this picture failed."
NO_PICTURE: Final = "The bytes that came do not begin as a picture does: this one is missing."
SAID_EMPTY: Final = (EMPTY, NO_BYTES)
"""What is said of items that the platform itself left empty: there is nothing in them to read."""
