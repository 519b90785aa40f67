"""An API key: sent to the platform, shown to nobody."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Final, NoReturn
from urllib.parse import quote

_PASTED = re.compile(
    r"(?:(?:export|set|setx)\s+)?(?:\$env:)?[A-Z][A-Z0-9_]*(?:_KEY|_TOKEN|_URL)\s*[=:]\s*(?P<key>.+)",
    re.IGNORECASE,
)
_QUOTES: Final = {'"': '"', "'": "'", "`": "`", "“": "”", "\u2018": "\u2019", "<": ">"}
_RANDOM_LENGTH: Final = 16


class Secret:
    """An API key that shows itself to nobody: not in a repr, a traceback's locals or a pickle.

    *source* is where it was found, in words for a person; *was_wrapped* tells that quotes or a
    pasted `NAME=` stood around it there.
    """

    __slots__ = ("_text", "source", "was_wrapped")

    def __init__(self, text: str, source: str = "", *, was_wrapped: bool = False) -> None:
        self._text = text
        self.source = source
        self.was_wrapped = was_wrapped

    def reveal(self) -> str:
        """Return the key, for the places that send it or look for it."""
        return self._text

    def bearer(self) -> str:
        """Return the value of the Authorization header."""
        return f"Bearer {self._text}"

    @property
    def is_random(self) -> bool:
        """True for a key that no text holds by chance; False for `ollama` or `sk-1234`.

        Parts of a random key are hidden too; of a word only the whole is, or prose would suffer.
        """
        text = self._text
        return (
            len(text) >= _RANDOM_LENGTH
            and any(letter.isdigit() for letter in text)
            and any(letter.isalpha() for letter in text)
        )

    def hidden(self, data: bytes) -> bytes:
        """Return *data* with a placeholder where a random key stands, whole, in any spelling.

        A key that is a word stays: nobody could tell it from the word.
        """
        for form, placeholder in self._forms():
            data = data.replace(form, placeholder)
        return data

    def restored(self, data: bytes) -> bytes:
        """Return what `hidden` was given."""
        for form, placeholder in self._forms():
            data = data.replace(placeholder, form)
        return data

    def _forms(self) -> list[tuple[bytes, bytes]]:
        if not self.is_random:
            return []
        plain, quoted = self._text, quote(self._text, safe="").replace("-", "%2D")
        return [
            (plain.encode(), b"[opeai_nb:key]"),
            (quoted.encode(), b"[opeai_nb:key-quoted]"),
            (self.in_base64().encode(), b"[opeai_nb:key-base64]"),
            (plain.encode("utf-16-le"), "[opeai_nb:key-wide]".encode("utf-16-le")),
        ]

    def in_base64(self) -> str:
        """Return the key as it stands in a text of base64 that holds nothing else."""
        return b64encode(self._text.encode()).decode().rstrip("=")

    def __repr__(self) -> str:
        return "<key: set>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("an API key is never written anywhere")


def bare(text: str) -> str:
    """Return a key as it was meant: without white space, quotes and a pasted `NAME=` around it.

    `docker --env-file` keeps the quotes of `OPEAI_API_KEY="sk-…"`; a line copied whole from a
    `.env` file or a shell holds the name.
    """
    before = None
    while text != before:
        before, text = text, text.strip().rstrip(";").strip()
        if len(text) > 1 and _QUOTES.get(text[0]) == text[-1]:
            text = text[1:-1]
        if line := _PASTED.fullmatch(text):
            text = line["key"]
    return text


def secret(text: str, source: str = "") -> Secret | None:
    """Return the key in *text*, bared; None when nothing is left of it."""
    key = bare(text)
    return Secret(key, source, was_wrapped=key != text.strip()) if key else None
