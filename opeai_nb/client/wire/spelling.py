"""One spelling for names and words that servers write in many: `taskId`, `TaskID`, `task-id`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

_SHORT: Final = 64
_MOST_NAMES: Final = 2000
"""Names that are remembered: the polls of a task repeat the same twenty, and nobody's are long."""
_LEFT_OUT = re.compile(r"[^0-9a-z]+")

# Whose status may be a task's: `job_status`, `runState`.
_WHOSE: Final = (
    *("job", "generation", "generate", "run", "current", "process", "execution", "workflow"),
    *("prediction", "request", "image", "render"),
)
# What means the same, by our name; each in every spelling that differs in case and separators.
_SAME: Final = {
    "task_id": (
        *("taskid", "taskuuid", "jobid", "predictionid", "generationid", "operationid"),
        *("runid", "imagetaskid", "generatetaskid", "workflowrunid", "inferenceid", "promptid"),
    ),
    "request_id": ("requestid", "reqid"),
    "status": (
        *("status", "jobstatusmsg", "statustext"),
        *(f"{whose}{word}" for whose in _WHOSE for word in ("status", "state")),
    ),
    "task_status": ("taskstatus", "taskstate"),
    "state": ("state", "phase", "stage"),
    "poll_url": (
        *("pollurl", "pollingurl", "statusurl", "queryurl", "taskurl", "fetchurl", "checkurl"),
        *("statusendpoint", "operationlocation", "joburl", "pollinguri", "statusuri"),
        "fetchresult",
    ),
    "response_url": ("responseurl", "responseuri", "answerurl"),
    "b64_json": (
        *("b64json", "b64", "base64", "imagebase64", "imageb64", "base64image", "b64image"),
        *("bytesbase64encoded", "imagebytes", "base64data", "binarydatabase64", "imagesbase64"),
    ),
    "image_url": ("imageurl", "imageuri", "imgurl", "pictureurl", "picurl", "imagelink", "imgsrc"),
    "result_url": (
        *("resulturl", "resultimageurl", "outputurl", "outputimageurl", "finalurl", "resulturi"),
        *("finalimageurl", "generatedimageurl", "outputuri", "resultimage", "outputimage"),
    ),
    "url": (
        *("url", "uri", "signedurl", "downloaduri", "downloadurl", "fileurl", "originurl"),
        *("mediaurl", "cdnurl", "signeduri", "fileuri", "publicurl", "ossurl", "gcsuri", "src"),
        *("href", "link", "urlpath", "contenturl"),
    ),
    "image_urls": ("imageurls", "imageuris", "imgurls", "pictureurls", "imagelist", "imageslist"),
    "result_urls": (
        *("resulturls", "outputurls", "resultimages", "outputimages", "generatedimages"),
        *("finalimages", "resultlist", "outputimageurls", "resultimageurls"),
    ),
    "revised_prompt": ("revisedprompt",),
    "actual_prompt": ("actualprompt",),
    "fail_reason": (
        *("failreason", "failurereason", "failedreason", "failmsg", "failmessage", "failurecause"),
    ),
    "task_status_msg": ("taskstatusmsg", "taskstatusmessage", "statusmsg", "statusmessage"),
    "success_flag": ("successflag",),
    "created_at": ("createdat", "createtime"),
    "inline_data": ("inlinedata",),
    "result_json": ("resultjson", "responsejson", "outputjson"),
    "task_result": ("taskresult", "taskoutput"),
    "task_info": ("taskinfo",),
    "sd_generation_job": ("sdgenerationjob",),
    "generations_by_pk": ("generationsbypk",),
    "response_data": ("responsedata", "respdata"),
}
# What many write with a capital, and some with an underscore in front.
_WORDS: Final = (
    *("id", "data", "result", "results", "output", "outputs", "response", "task", "job", "body"),
    *("image", "images", "choices", "message", "content", "artifacts", "predictions", "files"),
    *("attributes", "embedded", "object", "model", "progress", "created", "usage", "done", "name"),
    *("items", "urls", "links", "metadata", "text", "type", "prompt", "sample", "file", "source"),
    *("pictures", "candidates", "generations", "assets", "parts", "tasks", "jobs"),
    *("generation", "prediction"),
)
_OURS: Final = {
    **{word: word for word in _WORDS},
    **{spelling: name for name, spellings in _SAME.items() for spelling in spellings},
}
_NAMES: Final = frozenset(_OURS.values())


def squeezed(name: str) -> str:
    """Return *name* in lower case, without what separates its words."""
    return _LEFT_OUT.sub("", name.lower()) if len(name) > _SHORT else _squeezed(name)


@lru_cache(_MOST_NAMES)
def _squeezed(name: str) -> str:
    return _LEFT_OUT.sub("", name.lower())


def our_names(value: Any) -> Any:
    """Return *value* with our names in its objects; a name that is there already is not replaced.

    Names that we do not know stay as they are, and so does all of `usage`: its counts go to the
    user under the platform's own names (platform.md 1.3: `generated_images`).
    """
    if isinstance(value, list):
        return [our_names(item) for item in value]
    if not isinstance(value, dict):
        return value
    items = [
        (name, inner if squeezed(name) == "usage" else our_names(inner))
        for name, inner in value.items()
    ]
    ours = {_OURS.get(squeezed(name), name): inner for name, inner in items}
    return {**ours, **{name: inner for name, inner in items if name in _NAMES}}
