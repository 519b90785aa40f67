"""SPEAK: the platform's wire format, as pure flows, and two thin shells over httpx.

    from opeai_nb.client import Client
    with Client() as client:                       # OPEAI_API_KEY, OPEAI_BASE_URL
        generation = client.generate("a red fox in the snow", size="1024x1024")
    generation[0].show()

Names are loaded when they are used: a value type costs neither httpx nor Pillow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opeai_nb._lazy import attach

if TYPE_CHECKING:
    from opeai_nb.client.arguments import AnswerWarning as AnswerWarning
    from opeai_nb.client.async_client import AsyncClient as AsyncClient
    from opeai_nb.client.protocol.list_models import Model as Model
    from opeai_nb.client.sync_client import Client as Client
    from opeai_nb.client.values.generation import Generation as Generation
    from opeai_nb.client.values.image_input.input_image import (
        ImageInputWarning as ImageInputWarning,
    )
    from opeai_nb.client.values.image_input.input_image import InputImage as InputImage
    from opeai_nb.client.values.picture import Picture as Picture
    from opeai_nb.client.values.request import ImageRequest as ImageRequest
    from opeai_nb.client.values.request import build_request as build_request
    from opeai_nb.client.values.task import Task as Task
    from opeai_nb.client.wire.hints import RequestWarning as RequestWarning

__getattr__, __dir__ = attach(__name__)
