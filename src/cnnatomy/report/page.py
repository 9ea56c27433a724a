"""The page: the templates filled with chapters of exhibits."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from cnnatomy.exhibit import Words, languages
from cnnatomy.exhibit.checks import walk
from cnnatomy.report import charts, drawing, show, touched
from cnnatomy.report.chapters import Chapter, StoredExhibit, chapters_of
from cnnatomy.report.context import Context, Growth
from cnnatomy.report.language import counted, english, parted, phrase, spoken
from cnnatomy.report.path import LecturePath, Stop, through
from cnnatomy.report.recorded import Versions, day, recorded
from cnnatomy.report.shell import environment, whole
from cnnatomy.report.tables import Cost

MOST_NUMBERS = 12  # of one exhibit in the page; every one is in results.csv
LONG = 350  # letters of a paragraph
LEAST_REPEATED = 400  # bytes; a smaller picture is as short where it hangs
NOTHING = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"  # a pixel that can't be seen
NOTHING_OVER = Markup()
MP3_LEVEL = 0.7  # of 0 (largest) to 1: about 48 kbit/s for a voice at 22 kHz
TITLE = "What the networks learned"  # a phrase of the page
#: What the page does, a file a subject: page.js first, which hangs the works, onward.js last, which begins.
SCRIPTS = (
    "saving.js",
    "page.js",
    "contents.js",
    "items.js",
    "grids.js",
    "card.js",
    "ways.js",
    "zoom.js",
    "slides.js",
    "links.js",
    "printing.js",
    "steps.js",
    "calculators.js",
    "captions.js",
    "path.js",
    "touch.js",
    "live_engine.js",
    "live_hands.js",
    "live_voice.js",
    "live_beside.js",
    "live.js",
    "onward.js",
)


class Page:
    """What the templates ask for while they are filled: drawings, and the styles that these need."""

    def __init__(
        self,
        chapters: Sequence[Chapter],
        given: str = "",
        whole: Mapping[str, str] | None = None,
        path: LecturePath | None = None,
    ) -> None:
        self.given = given
        self.versions = Versions(chapters, whole or {})
        self.styles: dict[str, str] = {}
        self._letters: dict[str, int] = {}
        hung = [one.files for chapter in chapters for one in chapter.shown]
        pictures = [content for files in hung for name, content in files.items() if name.endswith(".png")]
        on_cards = [
            x.files[entry["file"]]
            for chapter in chapters
            if chapter.emblem
            for x, entry in [chapter.emblem]
            if "file" in entry
        ]
        on_path = [content for stop in (path.stops if path else ()) for content in stop.pictures]
        self._repeated = {content for content, count in Counter([*pictures, *on_cards, *on_path]).items() if count > 1}

    def picture(self, content: bytes, *classes: str) -> Markup:
        """The attributes that make an `img` show a PNG. What hangs twice is stored once, in the style sheet."""
        if content in self._repeated and len(content) > LEAST_REPEATED:
            name = f"b{hashlib.sha256(content).hexdigest()[:10]}"
            if name not in self.styles:
                width, height = show.size(content)  # the pixel that stands in the image's place is a square
                place = f'url("{show.picture_uri(content)}") 0 / 100% 100%'
                self.styles[name] = f"background: {place}; aspect-ratio: {width} / {height}"
            classes, source = (*classes, "repeated", name), NOTHING
        else:
            source = show.picture_uri(content)
        attribute = Markup(' class="{}"').format(" ".join(classes)) if classes else ""
        return Markup('src="{}"').format(source) + attribute

    def command(self, exhibit: StoredExhibit) -> str:
        """What makes an exhibit alone; under overrides it needs the file that they stand in."""
        given = self.given and exhibit.record is None
        return f"{exhibit.command} given={self.given}" if given else exhibit.command

    def letter(self, exhibit: StoredExhibit) -> str:
        """The letter of the exhibit's next work: a to z, then aa."""
        count = self._letters[exhibit.anchor] = self._letters.get(exhibit.anchor, 0) + 1
        letters = ""
        while count:
            count, place = divmod(count - 1, 26)
            letters = chr(ord("a") + place) + letters
        return letters

    def drawing(self, exhibit: StoredExhibit, block: dict[str, Any], over: Markup = NOTHING_OVER) -> Markup:
        """A drawing, and markup of SVG that is drawn over it."""
        title: Words = block.get("title", "") or exhibit.document["title"]
        markup, styles = drawing.inline(
            exhibit.files[block["file"]],
            show.anchor(exhibit.anchor, block["name"]),
            title,
            block["alt"],
            exhibit.terms,
        )
        self.styles |= styles
        return Markup(markup.removesuffix("</svg>") + over + "</svg>") if over else markup

    def sketch(self, stop: Stop) -> Markup:
        """The small drawing of a stop on the path; who can't see it is told of it at the exhibit."""
        markup, styles = drawing.inline(
            stop.drawing or b"", f"{stop.anchor}--picture", stop.title, stop.says, stop.exhibit.terms
        )
        self.styles |= styles
        return (
            Markup(markup.replace("<svg", Markup('<svg preserveAspectRatio="xMidYMin slice"'), 1))
            if stop.is_tall
            else markup
        )

    def sound(self, wav: bytes) -> str:
        """A sound as an address that needs no file: MP3, a quarter of the room; exhibits.zip has every sample of it.

        Empty for one that holds no moment: there is nothing to hear.
        """
        import soundfile  # only pages with sounds pay for it

        mp3 = io.BytesIO()
        try:
            samples, rate = soundfile.read(io.BytesIO(wav), dtype="int16")
            if not len(samples):
                return ""
            soundfile.write(mp3, samples, rate, format="MP3", bitrate_mode="VARIABLE", compression_level=MP3_LEVEL)
        except soundfile.SoundFileError:  # MP3 has its limits, as of rate; the browser may know more
            return show.data_uri(wav, "audio/wav")
        return show.data_uri(mp3.getvalue(), "audio/mpeg")

    def grid(self, exhibit: StoredExhibit, block: dict[str, Any], picture: int) -> str:
        """The class that gives a grid the width of its items and the number of its columns."""
        width = max((size[0] for item in block["items"] for size in self.sizes(exhibit, item, picture)), default=0)
        columns = block.get("columns", 0)
        name = f"g{width}" + (f"-{columns}" if columns else "")
        self.styles[name] = f"--item: {width}px" + (f"; --columns: {columns}" if columns else "")
        return name

    def sizes(self, exhibit: StoredExhibit, item: dict[str, Any], picture: int) -> list[tuple[int, int, int]]:
        """Of each of an item's pictures its shown width and height, and by what it is enlarged; all about as large."""
        found: list[tuple[int, int, int]] = []
        for file in show.pictures(item):
            width, height = show.size(exhibit.files[file])
            zoom = show.alike(width, height, max(found[0][:2])) if found else show.zoom(width, height, picture)
            found.append((width * zoom, height * zoom, zoom))
        return found

    def measures(self, block: dict[str, Any]) -> dict[str, Any]:
        """What stands along the sides of a grid's pictures and what their colours mean, in all languages."""
        tags = languages.tags()

        def by_tag(text: Words) -> dict[str, str]:
            return {tag: spoken(text, tag) for tag in tags}

        known: dict[str, Any] = {}
        for side, axis in block.get("axes", {}).items():
            ticks = [[at, by_tag(text)] for at, text in axis.get("ticks", ())]
            known[side] = {"title": by_tag(axis["title"]), "ticks": ticks}
        if scale := block.get("scale"):
            known["scale"] = {"colours": scale["colours"], "title": by_tag(scale["title"]), "ends": show.ends(scale)}
        return known

    def links(self, exhibit: StoredExhibit, block: dict[str, Any]) -> dict[tuple[int, int], list[str]]:
        """The anchors of the items that a matrix's cells stand for."""
        return {
            (cell["row"], cell["column"]): [show.anchor(f"{exhibit.anchor}:{name}") for name in cell["items"]]
            for cell in block["cells"]
        }

    def verdicts(self, chapters: Sequence[Chapter]) -> list[StoredExhibit]:
        """The studies that came to a verdict, which the first screen names."""
        return [one for chapter in chapters for one in chapter.shown if one.number("verdict") is not None]

    def lead(self, chapters: Sequence[Chapter]) -> Words:
        """What this is, in a sentence or two."""
        runs = sum(chapter.is_run and chapter.record is None for chapter in chapters)
        if not runs:
            return phrase("How convolutional networks work, in pictures with numbers beside them.")
        if runs == 1:
            return phrase(
                "One convolutional network, trained and then opened up. "
                "Beside the pictures stand numbers that say how far to trust them."
            )
        return phrase(
            "{count} convolutional networks, each trained and then opened up. "
            "Beside the pictures stand numbers that say how far to trust them.",
            count=counted(runs),
        )

    def paragraphs(self, text: Words) -> list[Words]:
        """A text's paragraphs, which an empty line sets apart; as many in every language, or it is one."""
        if isinstance(text, str):
            return [part for part in text.split("\n\n") if part.strip()]
        parts = {tag: [part for part in words.split("\n\n") if part.strip()] for tag, words in text.items()}
        if len(set(map(len, parts.values()))) > 1:
            return [text]
        return [dict(zip(parts, each, strict=True)) for each in zip(*parts.values(), strict=True)]

    def folded(self, paragraph: Words) -> tuple[Words, Words]:
        """What is seen of a paragraph, and of one as long as a study's verdict the numbers behind its two sentences."""
        return parted(paragraph) if len(english(paragraph)) > LONG else (paragraph, "")

    def time(self, seconds: float) -> Words:
        """A time in the unit that suits it."""
        return _time(seconds)

    def left(self, growth: Growth) -> Words:
        """How far a run at work is, and about how long the rest takes."""
        done = {"done": show.plain(growth["done"]), "total": show.plain(growth["total"])}
        left = growth["left"]
        if left is None:
            return phrase("{done} of {total} jobs are done.", **done)
        if left < 60:
            return phrase("{done} of {total} jobs are done; less than a minute to go.", **done)
        if left < 3600:
            return phrase("{done} of {total} jobs are done; about {n} min to go.", **done, n=round(left / 60))
        hours = f"{left / 3600:.1f}"
        return phrase("{done} of {total} jobs are done; about {n} h to go.", **done, n=hours)

    def total(self, costs: Sequence[dict[str, Any]]) -> Words:
        """What all jobs cost together."""
        return phrase(
            "{time} of processor time in {n} jobs; no job took more than {memory}\u202fMB of memory.",
            time=_time(sum(rule["cpu"] for rule in costs)),
            n=show.plain(sum(len(rule["jobs"]) for rule in costs)),
            memory=show.plain(round(max(rule["memory"] for rule in costs))),
        )


def _time(seconds: float) -> Words:
    """A time in the unit that suits it."""
    if seconds < 120:
        return f"{seconds:.0f}{show.NARROW}s"
    return phrase("{n}\u202fmin", n=f"{seconds / 60:.1f}")


def render(
    exhibits: Sequence[StoredExhibit],
    more: Sequence[StoredExhibit],
    results: str,
    costs: Sequence[Cost],
    context: Context,
) -> str:
    """The page as one HTML text; the arguments are those of `build`, read."""
    chapters = chapters_of(exhibits, more, context)
    path = through(chapters)
    page = Page(chapters, context.get("given", ""), context.get("whole"), path)
    title = context.get("title") or phrase(TITLE)
    filled = environment(
        page=page, charts=charts, recorded=recorded, day=day, touched=touched, STATES=show.STATES, MOST=MOST_NUMBERS
    ).get_template("body.html")
    body = filled.render(
        title=title, chapters=chapters, results=results, costs=_by_rule(costs), context=context, path=path
    )
    reload = None
    if "growing" in context:  # where scripts run, onward.js does it, and the reader stays at the same place
        # With an address of its own: a browser at #mnist-kernels would go to that place and load nothing.
        reload = Markup('<noscript><meta http-equiv="refresh" content="{}; url=partial.html"></noscript>').format(
            context["growing"]["reload"]
        )
    return whole(title, body, SCRIPTS, page.styles, reload, _values(exhibits))


def _values(exhibits: Sequence[StoredExhibit]) -> set[str]:
    """What the values beside pictures are called."""
    blocks = (block for exhibit in exhibits for _, block in walk(exhibit.document))
    return {
        name for block in blocks for item in block.get("items", ()) if "id" in item for name in item.get("values", ())
    }


def forward() -> str:
    """The page that stands where a partial one stood: it leads to the whole report beside it."""
    refresh = Markup('<meta http-equiv="refresh" content="0; url=index.html">')
    return whole(phrase(TITLE), environment().get_template("forward.html").render(), [], refresh=refresh)


def _by_rule(costs: Sequence[Cost]) -> list[dict[str, Any]]:
    """The costs with a total for each rule, dearest first."""
    rules: dict[str, list[Cost]] = {}
    for cost in costs:
        rules.setdefault(cost.rule, []).append(cost)

    def total(jobs: list[Cost], what: str) -> float:
        return sum(getattr(job, what) or 0 for job in jobs)

    return [
        {
            "rule": rule,
            "jobs": jobs,
            "seconds": total(jobs, "seconds"),
            "cpu": total(jobs, "cpu"),
            "memory": max((job.memory or 0 for job in jobs), default=0),
        }
        for rule, jobs in sorted(rules.items(), key=lambda entry: (-total(entry[1], "cpu"), entry[0]))
    ]
