"""What IPTC's Photo Metadata Standard (2025.1) has for generated pictures, as fields of XMP.

Who reads it: search engines, social networks and archives that label such pictures. The embedded
engine's are algorithmic, with no model that was trained; those of an edit are a composite.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_EXTENSION: Final = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_SOURCES: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
# By who painted, and whether another picture was there before.
_SOURCE_TYPES: Final = {
    ("platform", False): "trainedAlgorithmicMedia",
    ("platform", True): "compositeWithTrainedAlgorithmicMedia",
    ("engine", False): "algorithmicMedia",
    ("engine", True): "composite",
}
_LONGEST: Final = 10_000
"""Letters of a prompt that stand here, too: all of it is in the record, and a JPEG's segment of
64 KB has to hold both."""
_CORE: Final = (
    ' xmlns:Iptc4xmpCore="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class Fields(NamedTuple):
    """Fields for an XMP description: the *namespaces* that they need, and the *elements*."""

    namespaces: str
    elements: str


def iptc(facts: Mapping[str, Any]) -> Fields | None:
    """Return the fields for one picture's provenance; None where it does not tell who painted.

    Digital Source Type always; of the platform's also AI System Used (the model) and AI Prompt
    Information (the prompt, and what is to be avoided, up to 10,000 letters). Alt Text
    (Accessibility), Description and Keywords are what a person says of the pictures.
    """
    request, origin = facts.get("request") or {}, facts.get("origin")
    kind = _SOURCE_TYPES.get((str(origin), bool(request.get("image") or facts.get("only"))))
    if kind is None:
        return None
    told = {"DigitalSourceType": f"{_SOURCES}{kind}"}
    if origin == "platform":
        told["AISystemUsed"] = str(facts.get("answered_model") or request.get("model") or "")
        told["AIPromptInformation"] = _prompt(request)
    elements = "".join(
        f"<Iptc4xmpExt:{name}>{escaped(text)}</Iptc4xmpExt:{name}>"
        for name, text in told.items()
        if text
    )
    said = _said(facts.get("words") or {})
    return Fields(f'xmlns:Iptc4xmpExt="{_EXTENSION}"{_CORE if said else ""}', elements + said)


def _said(words: Mapping[str, Any]) -> str:
    """Return the elements for one's own words: texts in one language, and a list of keywords."""
    texts = (("Iptc4xmpCore:AltTextAccessibility", "alt"), ("dc:description", "caption"))
    elements = [
        f'<{name}><rdf:Alt><rdf:li xml:lang="x-default">{escaped(str(words[word]))}</rdf:li>'
        f"</rdf:Alt></{name}>"
        for name, word in texts
        if words.get(word)
    ]
    if keywords := words.get("keywords"):
        listed = "".join(f"<rdf:li>{escaped(str(each))}</rdf:li>" for each in keywords)
        elements.append(f"<dc:subject><rdf:Bag>{listed}</rdf:Bag></dc:subject>")
    return "".join(elements)


def _prompt(request: Mapping[str, Any]) -> str:
    avoided = request.get("negative_prompt")
    text = str(request.get("prompt") or "") + (f"\nNegative prompt: {avoided}" if avoided else "")
    return text if len(text) <= _LONGEST else ""


def escaped(text: str) -> str:
    """Return *text* for XML, which has no words for most control characters."""
    return html.escape(_CONTROLS.sub("", text), quote=True)
