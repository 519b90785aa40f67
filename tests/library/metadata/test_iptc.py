"""A kept picture says what it is, in the fields that IPTC has for generated pictures."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from opeai_nb.library import received_bytes, with_provenance
from tests.library.metadata.test_provenance import FACTS, RECEIVED, XMP

EXTENSION = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
SOURCES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
OWN_XMP = ("jpeg with xmp", "webp with xmp")
ONLY = {"box": [0, 0, 1, 1]}
IMAGE = [{"sha256": "0" * 64}]


def fields_of(data: bytes) -> dict[str, str]:
    """Return IPTC's fields in the XMP packets of a file."""
    found: dict[str, str] = {}
    for packet in re.findall(rb"<x:xmpmeta.*?</x:xmpmeta>", data, re.DOTALL):
        for element in ET.fromstring(packet).iter():
            if element.tag.startswith(EXTENSION):
                found[element.tag.removeprefix(EXTENSION)] = element.text or ""
    return found


@pytest.mark.parametrize("name", [name for name in RECEIVED if name not in OWN_XMP])
def test_every_kind_of_file_has_them_and_gives_the_received_bytes_back(
    name: str, picture: Callable[..., bytes]
) -> None:
    format_, options = RECEIVED[name]
    received = picture(format_, **options)
    data = with_provenance(received, FACTS)
    assert fields_of(data) == {
        "DigitalSourceType": f"{SOURCES}trainedAlgorithmicMedia",
        "AISystemUsed": "qwen-image-2.0",
        "AIPromptInformation": FACTS["request"]["prompt"],
    }
    assert received_bytes(data) == received


@pytest.mark.parametrize("name", OWN_XMP)
def test_a_file_with_xmp_of_its_own_keeps_that_alone(
    name: str, picture: Callable[..., bytes]
) -> None:
    format_, options = RECEIVED[name]
    data = with_provenance(picture(format_, **options), FACTS)
    assert fields_of(data) == {}
    assert data.count(XMP) == 1


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({"origin": "platform"}, "trainedAlgorithmicMedia"),
        ({"origin": "platform", "image": IMAGE}, "compositeWithTrainedAlgorithmicMedia"),
        ({"origin": "platform", "only": ONLY}, "compositeWithTrainedAlgorithmicMedia"),
        ({"origin": "engine"}, "algorithmicMedia"),
        ({"origin": "engine", "image": IMAGE}, "composite"),
    ],
)
def test_the_source_type_says_who_painted_and_whether_a_picture_was_there_before(
    facts: dict[str, Any], kind: str, picture: Callable[..., bytes]
) -> None:
    image = {"image": facts["image"]} if "image" in facts else {}
    rest = {name: value for name, value in facts.items() if name != "image"}
    told = {**FACTS, **rest, "request": {**FACTS["request"], **image}}
    fields = fields_of(with_provenance(picture(), told))
    assert fields["DigitalSourceType"] == SOURCES + kind
    # The engine is no AI: it names none, and its words were no prompt to one.
    assert ("AISystemUsed" in fields) == ("AIPromptInformation" in fields)
    assert ("AISystemUsed" in fields) == (facts["origin"] == "platform")


def test_what_is_to_be_avoided_is_part_of_the_prompt(picture: Callable[..., bytes]) -> None:
    request = {**FACTS["request"], "prompt": "a fox\x07 <&>", "negative_prompt": "snow"}
    fields = fields_of(with_provenance(picture(), {**FACTS, "request": request}))
    assert fields["AIPromptInformation"] == "a fox <&>\nNegative prompt: snow"


def test_a_prompt_of_more_than_ten_thousand_letters_stands_in_the_record_alone(
    picture: Callable[..., bytes],
) -> None:
    request = {**FACTS["request"], "prompt": "x" * 10_001}
    fields = fields_of(with_provenance(picture("JPEG"), {**FACTS, "request": request}))
    assert fields.keys() == {"DigitalSourceType", "AISystemUsed"}
