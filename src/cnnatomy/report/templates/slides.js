// Slides: one exhibit fills the window, at `#slides/mnist-kernels`. The articles of the page themselves; the style sheet hides the others.
{
  const PREFIX = "#slides", ALONG = `${PREFIX}/path`, everyone = all(".exhibit").filter((exhibit) => one("h3 .number-of", exhibit));
  const stops = all(".path-sign").sort((a, b) => a.dataset.place - b.dataset.place).map((sign) => sign.closest(".exhibit"));
  const along = [...new Set(stops)]; // the lecture's order
  let slides = everyone;
  const bar = make("section", { class: "slide-bar", hidden: "" });
  const button = (text, label, act) => {
    const made = named(make("button", { type: "button" }, ...text), label);
    made.addEventListener("click", act);
    bar.append(made);
    return made;
  };
  let at = -1, part = 0;
  const on = () => root.classList.contains("slides");
  const works = () => all(":scope > .works > .work:not(.beside)", slides[at]);

  // The caption's first sentence is set large; what follows it, small, and only when asked for.
  const shorten = (exhibit) => {
    const caption = one(".caption", exhibit);
    if (!caption || one(".first-sentence", caption)) return;
    for (const said of [...(all(":scope > span[lang]", caption).length ? all(":scope > span[lang]", caption) : [caption])]) {
      const text = said.textContent, end = /[.!?](?=\s+\p{Lu})|[。！？]/u.exec(text);
      const cut = end ? end.index + end[0].length : text.length;
      said.replaceChildren(make("span", { class: "first-sentence" }, text.slice(0, cut)), make("span", { class: "further" }, text.slice(cut)));
    }
  };
  // As large as the window lets it be, by quarters: pictures have to stay in sight.
  const fit = () => {
    if (!on()) return;
    const stage = one(":scope > .works", slides[at]), work = works()[part];
    if (!work || getComputedStyle(stage).overflowY === "visible") return; // a phone's slide is scrolled
    const shown = all(":scope > :is(.groups, .sentences, .wide, .steps, .calculator, .prose)", work);
    const room = [stage, ...all(".wide", work)];
    for (const size of one(":scope > .groups", work) ? [3, 2.5, 2, 1.75, 1.5, 1.25, 1] : [1.5, 1.25, 1]) {
      for (const box of shown) box.style.zoom = size;
      if (room.every((box) => box.scrollHeight <= box.clientHeight + 1 && box.scrollWidth <= box.clientWidth + 1)) break;
    }
  };
  const unfit = () => { for (const box of all(".slide .work *")) if (box.style.zoom) box.style.zoom = ""; };
  const unfold = () => { // what is folded away of a caption shows with the rest of it
    for (const fold of all(".placard details.more", slides[at])) fold.open = root.classList.contains("whole-captions");
  };
  const choose = (next) => {
    unfit();
    const shown = works();
    part = Math.max(0, Math.min(shown.length - 1, next));
    shown.forEach((work, index) => {
      work.classList.toggle("slide-work", index === part);
      for (let next = work.nextElementSibling; next?.matches(".beside"); next = next.nextElementSibling)
        next.classList.toggle("slide-work", index === part);
    });
    up.hidden = down.hidden = shown.length < 2;
    up.disabled = part === 0;
    down.disabled = part >= shown.length - 1;
    where.replaceChildren(...tell("{at} of {all} slides", { at: at + 1, all: slides.length }),
      ...(shown.length > 1 ? tell(" · part {at} of {all}", { at: part + 1, all: shown.length }) : []));
    one(":scope > .works", slides[at]).scrollTop = 0;
    fit();
  };
  const turn = (step) => { // what is longer than the window is read to its end first
    const stage = one(":scope > .works", slides[at]), before = stage.scrollTop;
    stage.scrollBy(0, step * 0.8 * stage.clientHeight);
    if (Math.abs(stage.scrollTop - before) < 2) choose(part + step);
  };
  const go = (next) => {
    unfit();
    for (const work of all(".slide-work")) work.classList.remove("slide-work");
    slides[at]?.classList.remove("slide");
    at = Math.max(0, Math.min(slides.length - 1, next));
    const exhibit = slides[at];
    prepare(exhibit);
    shorten(exhibit);
    unfold();
    exhibit.classList.add("slide");
    back.disabled = at === 0;
    ahead.disabled = at === slides.length - 1;
    chapter.replaceChildren(...one("h2 .here", exhibit.closest(".chapter")).cloneNode(true).childNodes);
    history.replaceState(null, "", `${slides === along ? ALONG : PREFIX}/${exhibit.id}`);
    choose(0);
    const heading = one("h3", exhibit);
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    if (slides[at + 1]) setTimeout(() => prepare(slides[at + 1]));
  };
  const enter = (which, from) => {
    if (!which.length) return;
    if (on()) leave();
    slides = which;
    root.classList.add("slides");
    bar.hidden = false;
    go(from);
  };
  const leave = () => {
    const exhibit = slides[at];
    if (document.fullscreenElement) document.exitFullscreen();
    unfit();
    for (const work of all(".slide-work")) work.classList.remove("slide-work");
    exhibit.classList.remove("slide");
    root.classList.remove("slides", "whole-captions");
    bar.hidden = true;
    at = -1;
    return exhibit;
  };
  const close = () => { // one is then where one was shown
    const exhibit = leave(), stop = slides === along && one(".path-sign", exhibit);
    if (stop) return location.replace(`#${stop.id}`);
    history.replaceState(null, "", `#${exhibit.id}`);
    exhibit.scrollIntoView();
    one("h3 .here", exhibit).focus({ preventScroll: true });
  };
  const chapter = make("span", { class: "slide-chapter" }), where = make("span", { class: "slide-where", role: "status" });
  const back = button("←", "Slide before", () => go(at - 1)), ahead = button("→", "Next slide", () => go(at + 1));
  const up = button("↑", "Part before", () => choose(part - 1)), down = button("↓", "Next part", () => choose(part + 1));
  bar.append(chapter, where);
  const more = button(tell("Whole caption"), "Whole caption", () => {
    more.setAttribute("aria-pressed", root.classList.toggle("whole-captions"));
    unfold();
    fit();
  });
  more.setAttribute("aria-pressed", "false");
  if (document.fullscreenEnabled) button(tell("Full screen"), "Full screen", () => {
    if (document.fullscreenElement) document.exitFullscreen(); else root.requestFullscreen();
  }).classList.add("slide-full");
  button("×", "Leave the slides", close);
  named(bar, "Slides");
  document.body.append(bar);

  // Which is on the screen now; from the first screen, the first.
  const seen = (which) => {
    const here = everyone.findLast((exhibit) => exhibit.getBoundingClientRect().top < innerHeight / 2);
    return Math.max(0, which.indexOf(here));
  };
  const opener = (kind, text, chosen) => {
    const made = make("button", { type: "button", class: `${kind}to-slides` }, ...tell(text));
    made.addEventListener("click", () => {
      const which = chosen(), from = seen(which);
      history.pushState(null, "", PREFIX);
      enter(which, from);
    });
    return made;
  };
  if (everyone.length) { // who is on the path stays on it
    one(".language").after(opener("switch ", "Slides", () => along.length && root.classList.contains("on-path") ? along : everyone));
    one(".lead")?.after(make("p", { class: "doing" }, opener("", "Show as slides", () => everyone)));
    one(".path-begin")?.after(opener("", "As slides", () => along));
  }
  const asked = () => { // which slides, and the one of them; nothing where the address asks for none
    const [name, ...rest] = location.hash.split("/");
    if (name !== PREFIX) return null;
    const which = rest[0] === "path" && along.length ? along : everyone, given = rest.at(-1);
    return [which, Math.max(0, which.findIndex(({ id }) => id === given || decoded(id) === given))];
  };
  const follow = (event) => {
    const next = asked();
    if (!next) { if (on() && event.type === "hashchange") leave(); } else if (!on() || slides !== next[0] || at !== next[1]) enter(...next);
  };
  addEventListener("hashchange", follow);
  addEventListener("load", follow);
  addEventListener("resize", fit);
  document.addEventListener("keydown", (event) => {
    if (!on() || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, audio, dialog, .item")) return;
    const act = {
      ArrowRight: () => go(at + 1), PageDown: () => go(at + 1), ArrowLeft: () => go(at - 1), PageUp: () => go(at - 1),
      ArrowDown: () => turn(1), ArrowUp: () => turn(-1), Home: () => go(0), End: () => go(slides.length - 1), Escape: close,
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
