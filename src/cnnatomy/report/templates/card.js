// One card a filter: what hangs of it anywhere in its chapter, in one place and at one address, `#mnist/conv1/3`.
const cardOf = (element) => { // the address of the card of what is shown, or nothing
  const shown = element.closest("[data-unit]");
  return shown ? `${shown.closest(".chapter").id}/${shown.dataset.unit}` : "";
};
const cardLink = (element) => { // what opens it, for those who show an item elsewhere
  const address = cardOf(element);
  return address ? [make("a", { class: "card-link", href: `#${address}` }, ...tell("Its card"))] : [];
};
{
  const entries = new Map(all(".unit-list > li").map((entry) => [entry.id, entry]));
  const known = (hash) => {
    const given = hash.slice(1);
    if (entries.has(given)) return given;
    try { return [...entries.keys()].find((id) => decodeURIComponent(id) === decodeURIComponent(given)); } catch { return undefined; }
  };
  const back = named(make("button", { type: "button" }, "←"), "The filter before");
  const on = named(make("button", { type: "button" }, "→"), "The next filter");
  const away = named(make("button", { type: "button", class: "away" }, "×"), "Close");
  const title = make("h2", { id: "unit-card--name" }), chapter = make("span", { class: "quiet" }), where = make("span", { class: "quiet", role: "status" });
  const parts = make("div", { class: "unit-parts", tabindex: 0, role: "group", "aria-labelledby": "unit-card--name" });
  const head = make("header", { class: "unit-head" }, make("div", {}, chapter, title, where), make("div", { class: "unit-moves" }, back, on, away));
  const card = make("dialog", { class: "unit-card", "aria-labelledby": "unit-card--name" }, head, parts);
  document.body.append(card);

  const list = (pairs) => make("dl", { class: "facts" }, ...pairs.map(([key, value]) => make("div", {}, make("dt", {}, ...key), make("dd", {}, ...value))));
  const inWords = (text) => typeof text === "string" ? [text] : languages.map((lang) => make("span", { lang }, text[tags[lang]] ?? text.en));
  const measured = (exhibit, unit) => JSON.parse(one(".works", exhibit).dataset.units ?? "[]").filter(([, , of]) => unit in of).map(([name, of, values]) => {
    const [value, interval, n] = values[unit];
    const sure = [interval && ` (${interval})`, n && ` n\u202f=\u202f${n}`].filter(Boolean).join(",");
    return [inWords(name), [`${value}${of && "\u202f"}`, ...inWords(of), make("span", { class: "sure" }, sure)]];
  });
  const pictured = (item) => {
    const link = make("a", { href: `#${item.id}`, class: "unit-picture" }, enlarged(item, 220), make("bdi", {}, ...one(".item-label", item).cloneNode(true).childNodes));
    const audio = one("audio", item.parentElement), sound = audio ? [make("audio", { controls: "", preload: "none", src: audio.src })] : [];
    return make("div", { class: "unit-shown" }, link, ...sound, list(factsOf(item).slice(1)));
  };
  const spelt = (sentence) => {
    const label = one(".sentence-label", sentence).cloneNode(true);
    one(".card-link", label)?.remove();
    return make("div", { class: "unit-spelt" }, one(".tokens", sentence).cloneNode(true), label);
  };
  const part = (exhibit, unit) => {
    const found = all(`[data-unit="${CSS.escape(unit)}"]`, exhibit), numbers = measured(exhibit, unit);
    if (!found.length && !numbers.length) return [];
    const works = new Map(found.map((element) => [element.closest(".work"), []]));
    for (const element of found) works.get(element.closest(".work")).push(element);
    const shown = [...works].flatMap(([work, elements]) => {
      const name = works.size > 1 ? one(":scope > .work-title", work)?.cloneNode(true).childNodes : null;
      return [...(name ? [make("p", { class: "unit-work" }, ...name)] : []), ...elements.map((element) => element.matches(".item") ? pictured(element) : spelt(element))];
    });
    const link = make("a", { href: `#${exhibit.id}` }, ...one("h3 .here", exhibit).cloneNode(true).childNodes);
    return [make("section", { class: "unit-part" }, make("h3", {}, link), ...shown, ...(numbers.length ? [list(numbers)] : []))];
  };

  let at = "", opener = null, height = 0, pushed = false, leaving = false, returning = false;
  const layer = () => [...entries.get(at).parentElement.children];
  const fill = () => {
    const entry = entries.get(at), among = layer(), home = entry.closest(".chapter"), unit = at.slice(home.id.length + 1);
    for (const exhibit of all(".exhibit", home)) prepare(exhibit);
    chapter.replaceChildren(...one("h2 .here", home).cloneNode(true).childNodes);
    title.replaceChildren(make("bdi", { translate: "no" }, decodeURIComponent(unit)));
    where.replaceChildren(...tell("{at} of {all} here", { at: among.indexOf(entry) + 1, all: among.length }));
    parts.replaceChildren(...all(".exhibit", home).flatMap((exhibit) => part(exhibit, unit)));
    for (const copy of all("[id]", parts)) copy.removeAttribute("id");
    back.hidden = on.hidden = among.length < 2;
    parts.scrollTop = 0;
  };
  const open = (id) => {
    at = id;
    fill();
    if (!card.open) { leaving = returning = false; card.showModal(); }
  };
  const go = (next) => {
    const among = layer();
    at = among[(next + among.length) % among.length].id;
    history.replaceState(null, "", `#${at}`);
    fill();
  };
  const here = () => layer().indexOf(entries.get(at));
  const enter = (id) => { // the page stays where it is, below the card
    [opener, height] = [document.activeElement, scrollY];
    history.pushState(null, "", `#${id}`);
    pushed = true;
    open(id);
  };
  back.addEventListener("click", () => go(here() - 1));
  on.addEventListener("click", () => go(here() + 1));
  away.addEventListener("click", () => card.close());
  card.addEventListener("click", (event) => {
    if (event.target === card) card.close(); // beside it
    if (event.target.closest("a")) leaving = true;
  });
  card.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("audio")) return;
    const next = { ArrowLeft: here() - 1, ArrowRight: here() + 1, Home: 0, End: -1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    go(next);
  });
  card.addEventListener("close", () => {
    if (known(location.hash) !== at) return; // the address has changed already
    if (pushed) { returning = true; history.back(); return; }
    history.replaceState(null, "", `#${entries.get(at).closest(".exhibit").id}`);
    one("a", entries.get(at)).focus();
  });
  // Before links.js hears of it: where only the card came or went, the page stays where it is.
  addEventListener("hashchange", (event) => {
    const id = known(location.hash);
    if (id) { pushed = false; open(id); }
    else if (card.open || returning) {
      returning = false;
      card.close();
      if (leaving) return;
      event.stopImmediatePropagation();
      opener?.focus({ preventScroll: true }); // going back takes the focus away, and scrolls to what the address names
      scrollTo(0, height);
    }
  });
  addEventListener("load", () => { if (known(location.hash)) open(known(location.hash)); });

  document.addEventListener("click", (event) => {
    const link = event.target.closest(".unit-list a, a.card-link");
    const id = link && (link.matches(".card-link") ? known(link.hash) : link.parentElement.id);
    if (!id || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    enter(id);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "f" || event.ctrlKey || event.metaKey || event.altKey || card.open) return;
    const link = one("a.card-link", event.target.closest("dialog[open]") ?? make("p"));
    const id = link ? known(link.hash) : known(`#${cardOf(event.target)}`);
    if (id) { event.preventDefault(); enter(id); }
  });
  // Where a picture is enlarged, the way to its card stands beside its values.
  document.addEventListener("zoomed", ({ detail: { item, more } }) => more.append(...cardLink(item)));
  // A sentence can't be pointed at as a picture can; its link stands below it.
  preparing.push((exhibit) => { for (const sentence of all(".sentence[data-unit]", exhibit)) one(".sentence-label", sentence).append(...cardLink(sentence)); });
}
