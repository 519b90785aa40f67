"""An API key: sent to the platform, shown to nobody."""

from __future__ import annotations

import re
from base64 import b64encode
from html import escape
from typing import Final, NoReturn
from urllib.parse import quote

_NAME: Final = r"[A-Z][A-Z0-9_]*(?:_KEY|_TOKEN|_URL|_PROXY)"
_PASTED = re.compile(
    # `export NAME=…`, `%env NAME=…`, `$env:NAME = …`, `os.environ["NAME"] = …`, `"api_key": …`
    rf"(?:(?:export|set|declare -x|env|-e|-)\s+|%%?(?:set_)?env\s+)?(?:\$env:|os\.environ\[)?"
    rf"(?P<quote>[\"']?)(?:{_NAME}|(?:x-)?(?:api[ -]?)?key|token|authorization)(?P=quote)\]?\s*[=:]"
    r"\s*(?P<key>.*)"
    # where no sign stands between: `setx NAME …`, `%env NAME …`, `set -gx NAME …`, `ENV NAME …`
    rf"|(?:setx|set -g?x|env|%%?(?:set_)?env)\s+{_NAME}\s+(?P<value>.*)"
    r"|Bearer:?\s+(?P<bearer>.*)",
    re.IGNORECASE,
)
_QUOTES: Final = dict(
    pair.split()
    for pair in (
        *('" "', "' '", "` `", "< >", '\\" \\"', "\uff02 \uff02", "\u2018 \u2019", "\u201a \u2018"),
        *("“ ”", "„ “", "” ”", "« »", "\u2039 \u203a", "「 」", "\u2019 \u2019"),
    )
)
_COMMENT = re.compile(r"\s#.*")
_UNSEEN: Final = " \t\r\n\f\v\0\xa0\u200b\u200c\u200d\u2060\ufeff"
_RANDOM_LENGTH: Final = 16
_ANY: Final = ("utf-8", "surrogatepass")  # a server may send half a letter


class Secret:
    """An API key that shows itself to nobody: not in a repr, a traceback's locals or a pickle.

    *source* is where it was found, in words for a person; *was_wrapped* tells that quotes or a
    pasted `NAME=` stood around it there.
    """

    __slots__ = ("_text", "_written", "is_random", "source", "was_wrapped")

    def __init__(self, text: str, source: str = "", *, was_wrapped: bool = False) -> None:
        self._text = text
        self.source = source
        self.was_wrapped = was_wrapped
        self.is_random = _is_random(text)
        self._written: list[tuple[bytes, bytes]] | None = None

    def reveal(self) -> str:
        """Return the key, for the places that send it or look for it."""
        return self._text

    def bearer(self) -> str:
        """Return the value of the Authorization header."""
        return f"Bearer {self._text}"

    def hidden(self, data: bytes) -> bytes:
        """Return *data* with a placeholder where a random key stands, whole, in any spelling.

        A key that is a word stays: nobody could tell it from the word.
        """
        for form, placeholder in self._forms():
            data = data.replace(form, placeholder)
        return data

    def hidden_in(self, text: str) -> str:
        """Return *text* as `hidden` returns its bytes."""
        return self.hidden(text.encode(*_ANY)).decode(*_ANY) if self.is_random else text

    def restored_in(self, text: str) -> str:
        """Return what `hidden_in` was given."""
        return self.restored(text.encode(*_ANY)).decode(*_ANY) if self.is_random else text

    def restored(self, data: bytes) -> bytes:
        """Return what `hidden` was given."""
        for form, placeholder in self._forms():
            data = data.replace(placeholder, form)
        return data

    def _forms(self) -> list[tuple[bytes, bytes]]:
        if self._written is None:  # each answer of a task asks for them
            self._written = self._spelled() if self.is_random else []
        return self._written

    def _spelled(self) -> list[tuple[bytes, bytes]]:
        plain, quoted = self._text, quote(self._text, safe="")
        spellings = {
            "key": plain,
            "key-quoted": quoted.replace("-", "%2D"),
            "key-in-url": quoted,
            "key-in-small-url": re.sub("%..", lambda sign: sign[0].lower(), quoted),
            "key-in-path": quote(plain),
            "key-in-json": plain.replace("/", "\\/"),
            "key-in-strict-json": re.sub(r"[<>&]", lambda sign: f"\\u{ord(sign[0]):04x}", plain),
            "key-in-html": escape(plain),
            "key-in-capitals": plain.upper(),
            "key-in-small-letters": plain.lower(),
            "key-in-json-escapes": "".join(f"\\u{byte:04x}" for byte in plain.encode()),
            **_in_bases(plain.encode()),
        }
        once = {text: name for name, text in reversed(spellings.items())}
        wide = (plain.encode("utf-16-le"), "[opeai_nb:key-wide]".encode("utf-16-le"))
        return [
            *((text.encode(), f"[opeai_nb:{name}]".encode()) for text, name in once.items()),
            wide,
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


def _in_bases(key: bytes) -> dict[str, str]:
    """Return a key in hexadecimal, percent signs and base64, each in both ways of writing it."""
    plain, percent = key.hex(), "".join(f"%{byte:02x}" for byte in key)
    encoded = {
        "key-base64": b64encode(key).decode().rstrip("="),
        # Behind `Bearer ` and `user:`, where the letters at both ends are made of more.
        "key-base64-1": b64encode(b"0" + key).decode()[2:-4],
        "key-base64-2": b64encode(b"00" + key).decode()[3:-4],
    }
    for_urls = str.maketrans("+/", "-_")
    return {
        "key-in-hex": plain,
        "key-in-capital-hex": plain.upper(),
        "key-in-percent": percent,
        "key-in-capital-percent": percent.upper(),
        **encoded,
        **{f"{name}-for-urls": text.translate(for_urls) for name, text in encoded.items()},
    }


def _is_random(text: str) -> bool:
    """Tell a key that no text holds by chance from `ollama` or `sk-1234`.

    Parts of a random key are hidden too; of a word only the whole is, or prose would suffer.
    """
    return (
        len(text) >= _RANDOM_LENGTH
        and any(letter.isdigit() for letter in text)
        and any(letter.isalpha() for letter in text)
    )


def bare(text: str) -> str:
    """Return a key, a URL or a path as it was meant: without what was pasted around it.

    That is white space, seen or not, quotes of any kind, `NAME=`, `Bearer `, and a comment.
    `docker --env-file` keeps the quotes of `OPEAI_API_KEY="sk-…"`; a line copied whole from a
    `.env` file or a shell holds the name; what is copied from a page or a PDF holds a byte order
    mark, or a space of no width.
    """
    before = None
    while text != before:
        before, text = text, _COMMENT.sub("", text.strip(_UNSEEN)).rstrip(";," + _UNSEEN)
        if line := _PASTED.fullmatch(text):
            text = next(line[n] for n in ("key", "value", "bearer") if line[n] is not None)
        text = _unquoted(text)
    return text


def _unquoted(text: str) -> str:
    for opening, closing in _QUOTES.items():
        size = len(opening)
        if len(text) >= 2 * size and text.startswith(opening) and text.endswith(closing):
            return text[size:-size]
    return text


def secret(text: str, source: str = "") -> Secret | None:
    """Return the key in *text*, bared; None when nothing is left of it."""
    key = bare(text)
    return Secret(key, source, was_wrapped=key != text.strip()) if key else None
