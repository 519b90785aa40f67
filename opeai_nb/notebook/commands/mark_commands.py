"""`%imagine star`, `tag`, `note` and `trash`, each with its way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from opeai_nb.notebook.display.table import Text

if TYPE_CHECKING:
    from opeai_nb.library.marks import Change
    from opeai_nb.notebook.session import Session


def star(session: Session, *ids: str) -> Text:
    """Star records, or single pictures of them (`3f2a9c1d-2`): `%imagine history --starred`."""
    return _marked(session, ids, star=True)


def unstar(session: Session, *ids: str) -> Text:
    """Take the star back."""
    return _marked(session, ids, star=False)


def tag(session: Session, record: str, *tags: str) -> Text:
    """Give a record tags: `%imagine history --tag WORD` lists what has one."""
    return _marked(session, [record], tag=[*tags])


def untag(session: Session, record: str, *tags: str) -> Text:
    """Take tags back."""
    return _marked(session, [record], untag=[*tags])


def note(session: Session, record: str, *words: str) -> Text:
    """Write a note to a record in the place of the one that it has; no words take it back."""
    return _marked(session, [record], note=" ".join(words))


def trash(session: Session, *ids: str) -> Text:
    """Put records into the trash: they are neither listed nor replayed, and nothing is deleted."""
    text = _marked(session, ids, trash=True)
    back = f"To undo: %imagine restore {' '.join(ids)}."
    return Text(f"{text}\nTheir files stay in the library, and %imagine usage counts them. {back}")


def restore(session: Session, *ids: str) -> Text:
    """Take records out of the trash."""
    return _marked(session, ids, trash=False)


def _marked(session: Session, ids: tuple[str, ...] | list[str], **change: Unpack[Change]) -> Text:
    """Change the marks of each and say what holds of it then; one that is none changes nothing."""
    library = session.studio.library
    records = [library.record(each.partition("-")[0]) for each in ids]
    marks = library.mark_all(ids, **change)
    lines = [
        f"{record.id}  {str(each) or 'no marks'}"
        for record, each in zip(records, marks, strict=True)
    ]
    return Text("\n".join(lines))
