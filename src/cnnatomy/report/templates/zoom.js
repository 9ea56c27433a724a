// A picture enlarged by a whole number: its sides, what its colours mean, its values; its other pictures and its neighbours.
let zoom;
{
  const dialog = make("dialog", { class: "zoom", "aria-labelledby": "zoom-title", tabindex: -1 });
  document.body.append(dialog);
  let shown = null;
  const inAll = (words) => languages.map((lang) => make("span", { lang }, words[tags[lang]]));
  const button = (text, does, attributes = {}) => {
    const made = make("button", { type: "button", ...attributes }, ...tell(text));
    made.addEventListener("click", does);
    return made;
  };
  const side = (name, { title, ticks }) => {
    const marks = ticks.map(([at, words]) => {
      const mark = make("span", { class: "tick" }, ...inAll(words));
      mark.style.setProperty("--at", at);
      return mark;
    });
    return [make("div", { class: `ticks ticks-${name}` }, ...marks), make("div", { class: `side side-${name}` }, ...inAll(title))];
  };
  const bar = ({ colours, title, ends }, own) => {
    const [low, high] = own ?? ends;
    return make("div", { class: "scale" }, make("span", {}, ...inAll(title)), make("span", { class: "end" }, low ?? ""),
      make("span", { class: `bar-of ${colours}` }), make("span", { class: "end" }, high ?? ""));
  };
  const enlargedFor = (hung, sides) => {
    const by = Number(hung.dataset.zoom ?? 1), width = hung.width / by, height = hung.height / by;
    const room = [Math.min(innerWidth - (sides ? 110 : 50), 860), innerHeight * .55];
    const most = Math.min(room[0] / width, room[1] / height), times = most > 1 ? Math.min(120, Math.floor(most)) : most;
    const picture = make("img", { alt: "", src: sourceOf(hung) });
    picture.width = Math.round(width * times);
    picture.height = Math.round(height * times);
    const size = { width, height, times: times > 1 ? times : times.toFixed(2) };
    return [picture, make("p", { class: "zoom-size" }, ...tell("{width} × {height} px, shown {times} times as large", size))];
  };
  const seen = (item) => getComputedStyle(item.closest(".gathered")).display !== "none";
  const neighbours = () => all(".items > li:not([hidden]) > .item", shown.closest(".work")).filter(seen);
  const step = (by) => {
    const items = neighbours(), next = items[items.indexOf(shown) + by];
    if (next) { shown = next; lay(); }
  };
  const take = (input) => { // of groups that are shown one at a time, the item at the same place
    const at = neighbours().indexOf(shown);
    input.click();
    if (!seen(shown)) { const items = neighbours(); shown = items[Math.min(at, items.length - 1)]; }
    lay();
  };
  const turn = (by) => {
    const inputs = all(".ways input", shown.closest(".work")), next = inputs[inputs.findIndex((input) => input.checked) + by];
    if (next) take(next);
  };
  const ask = (what) => { shown.dispatchEvent(new CustomEvent(what, { bubbles: true })); lay(); };
  const lay = () => {
    const work = shown.closest(".work"), measures = JSON.parse(one(".groups", work).dataset.measures ?? "{}");
    const focused = document.activeElement?.dataset.act;
    const [picture, size] = enlargedFor(pictureOf(shown), measures.x);
    const where = [one("h3 .here", shown.closest(".exhibit")), one(":scope > .work-title", work)].filter(Boolean)
      .flatMap((title, nth) => [...(nth ? [" · "] : []), ...title.cloneNode(true).childNodes]);
    const name = one(".item-label", shown).cloneNode(true).childNodes;
    const head = make("div", { class: "zoom-head" }, make("h2", { id: "zoom-title" }, ...name, make("span", { class: "where" }, ...where)),
      named(make("button", { type: "button", class: "zoom-close", "data-act": "close" }, "×"), "Close"));
    const sides = measures.x ? [...side("y", measures.y), ...side("x", measures.x)] : [];
    const frame = make("div", { class: "zoom-frame" }, make("div", { class: "zoom-picture" }, picture), ...sides);
    const items = neighbours(), at = items.indexOf(shown);
    const move = (text, by, off) => {
      const made = named(make("button", { type: "button", class: "zoom-move", "data-act": text, ...(off ? { disabled: "" } : {}) }, by < 0 ? "‹" : "›"), text);
      made.addEventListener("click", () => step(by));
      return made;
    };
    const stage = make("div", { class: "zoom-stage" }, move("Previous picture", -1, at === 0), frame, move("Next picture", 1, at === items.length - 1));
    const ways = make("div", { class: "zoom-ways" }, ...all(".ways label", work).map((label, way) => {
      const input = one("input", label), made = make("button", { type: "button", "data-act": `way${way}`, "aria-pressed": input.checked }, ...one(".way", label).cloneNode(true).childNodes);
      made.addEventListener("click", () => take(input));
      return made;
    }));
    const facts = factsOf(shown).map(([key, value]) => make("div", {}, make("dt", {}, ...key), make("dd", {}, ...value)));
    const more = make("p", { class: "more" });
    if (shown.classList.contains("sounds")) more.append(button("Hear it", () => ask("hear"), { "data-act": "hear" }));
    const picked = shown.classList.contains("picked");
    more.append(button("Compare", () => ask("compare"), { "data-act": "compare", "aria-pressed": picked }));
    more.append(make("a", { href: `#${shown.id}`, "data-act": "link" }, ...tell("Its place")));
    const colours = measures.scale ? [bar(measures.scale, shown.dataset.ends && JSON.parse(shown.dataset.ends))] : [];
    const words = make("div", { class: "zoom-words" }, ...colours, size, make("dl", { class: "facts" }, ...facts), more);
    dialog.replaceChildren(head, ...(ways.children.length ? [ways] : []), stage, words);
    one(".zoom-close", dialog).addEventListener("click", () => dialog.close());
    one("[data-act=link]", dialog).addEventListener("click", () => dialog.close());
    // Who knows more of what is shown adds it to `more`.
    document.dispatchEvent(new CustomEvent("zoomed", { detail: { item: shown, more } }));
    const again = focused && one(`[data-act="${focused}"]:not(:disabled)`, dialog);
    if (dialog.open) (again ?? dialog).focus({ preventScroll: true });
  };
  zoom = (item) => {
    shown = item;
    lay();
    if (!dialog.open) dialog.showModal();
    dialog.focus();
  };
  dialog.addEventListener("close", () => { shown?.focus({ preventScroll: false }); shown = null; dialog.replaceChildren(); });
  dialog.addEventListener("click", ({ target }) => { if (target === dialog) dialog.close(); });
  dialog.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const does = {
      ArrowRight: () => step(1), ArrowLeft: () => step(-1), ArrowDown: () => turn(1), ArrowUp: () => turn(-1), c: () => ask("compare"),
      ...(shown.classList.contains("sounds") && event.target === dialog ? { " ": () => ask("hear") } : {}),
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!does) return;
    event.preventDefault();
    event.stopPropagation();
    does();
  });
  addEventListener("hashchange", () => dialog.close());
  addEventListener("resize", () => { if (dialog.open) lay(); });
}
