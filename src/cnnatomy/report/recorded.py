"""What was recorded, as the page says it: when and where it was made, and what is a quick version of it."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from datetime import date

from cnnatomy.exhibit import Words
from cnnatomy.exhibit.languages import FIRST
from cnnatomy.report.chapters import Chapter, StoredExhibit
from cnnatomy.report.context import Record
from cnnatomy.report.language import others, phrase

Hung = StoredExhibit | Chapter


def day(record: Record) -> Words:
    """The day on which it was recorded."""
    on = date.fromisoformat(record["date"])
    month = {FIRST: calendar.month_name[on.month], **{tag: str(on.month) for tag in others()}}
    return phrase("{day} {month} {year}", day=on.day, month=month, year=on.year)


def recorded(record: Record) -> Words:
    """When, by which code and where it was made, and how long it took."""
    minutes = f"{float(record['processor_minutes']):.0f}"
    return phrase(
        "Recorded, not made for this report: {day}, commit {commit}, on {machine}, {cores}; "
        "{minutes} of processor time.",
        day=day(record),
        commit=record["commit"],
        machine=record["processor"],
        cores=phrase("1 core") if record["cores"] == "1" else phrase("{n} cores", n=record["cores"]),
        minutes=phrase("1 minute") if minutes == "1" else phrase("{n} minutes", n=minutes),
    )


class Versions:
    """Which runs and studies of a page are quick versions of which others.

    whole: for the name of a quick version the name of the whole one.
    """

    def __init__(self, chapters: Sequence[Chapter], whole: Mapping[str, str]) -> None:
        studies: Mapping[str, Hung] = {
            one.key[1]: one for chapter in chapters for one in chapter.shown if one.key[0] == "study"
        }
        runs: Mapping[str, Hung] = {chapter.exhibits[0].key[1]: chapter for chapter in chapters if chapter.is_run}
        self._pairs = [
            (hung[quick], hung[of])
            for hung in (studies, runs)
            for quick, of in whole.items()
            if quick in hung and of in hung
        ]

    def whole(self, one: Hung) -> Hung | None:
        """The study, or the chapter of the run, of which this one is a quick version."""
        return next((of for quick, of in self._pairs if quick is one), None)

    def quick(self, one: Hung) -> Hung | None:
        """Its quick version."""
        return next((quick for quick, of in self._pairs if of is one), None)
