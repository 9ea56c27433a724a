// What is known of an item of a grid: its values as the page shows them, its state, its picture enlarged by a whole number.
const valuesOf = (item) => {
  const names = JSON.parse(item.closest(".items").dataset.names ?? "[]"), values = (item.dataset.facts ?? "").split("|");
  return names.map((name, n) => [name, values[n]]).filter(([, value]) => value);
};
const exactOf = (item) => JSON.parse(item.dataset.exact ?? "{}"); // what the digits shown don't tell from another item's
const stateOf = (item) => /\bis-(\w+)/.exec(item.className)?.[1] ?? "";
const numberOf = (text) => Number(text.replaceAll("\u2212", "-").replaceAll("\u202f", ""));
const factsOf = (item) => {
  const idOf = decodeURIComponent(item.id.slice(item.id.indexOf(":") + 1)), state = stateOf(item);
  const known = [[["id"], [idOf]], ...(state ? [[tell("state"), tell(state)]] : [])];
  return [...known, ...valuesOf(item).map(([key, value]) => [[make("bdi", {}, ...nameOf(key))], [value]])];
};
const speakItems = (within = document) => { // screen readers hear of an item what its hover shows
  const say = (nodes) => textOf(make("span", {}, ...nodes));
  for (const item of all(".item", within)) {
    if (!item.dataset.enAriaLabel) item.dataset.enAriaLabel = item.getAttribute("aria-label");
    const [[, [id]], ...known] = factsOf(item), label = textOf(one(".item-label", item));
    const state = stateOf(item) ? [say(known.shift()[1])] : [];
    const parts = [label, ...(id === label ? [] : [id]), ...state, ...known.map(([key, [value]]) => `${say(key)} ${value}`)];
    item.setAttribute("aria-label", root.lang === languages[0] ? item.dataset.enAriaLabel : parts.join(", "));
  }
};
one(".language").addEventListener("click", () => speakItems());
const enlarged = (item, size) => {
  const hung = pictureOf(item), picture = make("img", { alt: "", src: sourceOf(hung) });
  const zoomed = Number(hung.dataset.zoom ?? 1), width = hung.width / zoomed, height = hung.height / zoomed;
  const zoom = size / Math.max(width, height, 1), whole = zoom > 1 ? Math.min(40, Math.floor(zoom)) : zoom;
  picture.width = Math.round(width * whole);
  picture.height = Math.round(height * whole);
  return picture;
};

// Grids: hover or focus shows what is known of an item; arrows move; sounds play.
{
  const hover = one(".hover"), touched = matchMedia("(hover: none)");
  let shown = null;
  const show = (item) => {
    if (shown) hide();
    shown = item;
    item.setAttribute("aria-describedby", "hover");
    hover.replaceChildren();
    const facts = factsOf(item).map(([key, value]) => make("div", {}, make("dt", {}, ...key), make("dd", {}, ...value)));
    const hint = item.classList.contains("sounds") ? "Click to hear, Enter to enlarge, C to compare" : "Click to enlarge, C to compare";
    const label = one(".item-label", item).cloneNode(true).childNodes;
    hover.append(enlarged(item, 220), make("strong", {}, ...label), make("dl", { class: "facts" }, ...facts), make("p", { class: "hint" }, ...tell(hint), ...(cardOf(item) ? tell(" · F for its card") : [])));
    hover.hidden = false;
    place();
  };
  const place = () => {
    const box = shown.getBoundingClientRect(), size = hover.getBoundingClientRect(), gap = 10;
    const right = box.right + gap, left = box.left - gap - size.width;
    const x = right + size.width < innerWidth ? right : left > 0 ? left : Math.max(8, innerWidth - size.width - 8);
    const beside = right + size.width < innerWidth || left > 0;
    const y = beside ? box.top : box.bottom + gap;
    hover.style.transform = `translate(${x}px, ${Math.max(8, Math.min(y, innerHeight - size.height - 8))}px)`;
  };
  const hide = () => {
    shown?.removeAttribute("aria-describedby");
    shown = null;
    hover.hidden = true;
  };
  addEventListener("scroll", () => { if (shown) place(); }, { passive: true, capture: true });

  let playing = null;
  const stop = () => {
    if (!playing) return;
    playing.audio.pause();
    playing.audio.currentTime = 0;
    playing.item.classList.remove("playing");
    playing.item.setAttribute("aria-pressed", "false");
    playing = null;
  };
  const play = (item) => {
    const again = playing?.item === item, audio = item.parentElement.querySelector("audio");
    stop();
    if (again) return;
    playing = { item, audio };
    item.classList.add("playing");
    item.setAttribute("aria-pressed", "true");
    audio.onended = stop;
    audio.play().catch(stop);
  };

  const prepareList = (list) => {
    const items = () => all(":scope > li:not([hidden]) > .item", list);
    items().forEach((item, index) => {
      item.tabIndex = index ? -1 : 0;
      item.setAttribute("role", "button");
      item.setAttribute("aria-pressed", "false");
    });
    list.addEventListener("mouseover", (event) => {
      const item = event.target.closest(".item");
      if (item && !(touched.matches && picked.length)) show(item); // what moves under a finger is not pointed at
    });
    list.addEventListener("mouseleave", hide);
    list.addEventListener("focusin", (event) => {
      const item = event.target.closest(".item");
      if (!item) return;
      for (const other of all(".item", list)) other.tabIndex = other === item ? 0 : -1;
      if (item.matches(":focus-visible")) show(item);
    });
    list.addEventListener("focusout", hide);
    list.addEventListener("click", (event) => {
      const item = event.target.closest(".item");
      if (!item) return;
      hide();
      if (item.classList.contains("sounds")) play(item);
      else zoom(item);
    });
    for (const [asked, does] of [["hear", play], ["compare", compare]]) list.addEventListener(asked, ({ target }) => does(target));
    list.addEventListener("keydown", (event) => {
      const item = event.target.closest(".item");
      if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
      const shown = items(), at = shown.indexOf(item);
      const row = shown.filter((other) => other.offsetTop === shown[0].offsetTop).length;
      const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: row, ArrowUp: -row }[event.key];
      if (event.key === "Escape") hide();
      else if (event.key === " " && item.classList.contains("sounds")) play(item);
      else if (event.key === "Enter" || event.key === " ") { hide(); zoom(item); }
      else if (event.key.toLowerCase() === "c") compare(item);
      else if (event.key === "Home") shown[0].focus();
      else if (event.key === "End") shown.at(-1).focus();
      else if (step) shown[Math.max(0, Math.min(shown.length - 1, at + step))].focus();
      else return;
      event.preventDefault();
    });
  };
  preparing.push((exhibit) => { for (const list of all(".items", exhibit)) prepareList(list); });

  // What was picked to be compared lies side by side at the bottom of the window.
  const tray = one(".tray"), picked = [];
  const compare = (item) => {
    const at = picked.indexOf(item);
    if (at < 0) picked.push(item); else picked.splice(at, 1);
    item.classList.toggle("picked", at < 0);
    if (touched.matches) hide(); // it would lie over the tray
    if (!item.classList.contains("sounds")) item.setAttribute("aria-pressed", at < 0);
    lay();
  };
  const lay = () => {
    tray.hidden = !picked.length;
    root.classList.toggle("comparing", picked.length > 0);
    if (!picked.length) return void tray.replaceChildren();
    const values = picked.map((item) => new Map(valuesOf(item)));
    const keys = [...new Set(values.flatMap((known) => [...known.keys()]))];
    const heads = picked.map((item) => {
      const away = named(make("button", { type: "button", class: "away" }, "×"), "Take {what} out", { what: item.getAttribute("aria-label") });
      away.addEventListener("click", () => { compare(item); one(".tray button")?.focus(); });
      const link = make("a", { href: `#${item.id}` }, ...one(".item-label", item).cloneNode(true).childNodes);
      const where = one("h3 .here", item.closest(".exhibit")).cloneNode(true);
      return make("th", { scope: "col" }, away, enlarged(item, 120), link, make("span", { class: "where" }, ...where.childNodes), ...cardLink(item));
    });
    const row = (name, cells) => make("tr", {}, make("th", { scope: "row" }, ...name), ...cells.map((cell) => make("td", {}, ...cell)));
    const rows = keys.map((key) => row([make("bdi", {}, ...nameOf(key))], values.map((known) => [known.get(key) ?? ""])));
    if (picked.some(stateOf)) rows.unshift(row(tell("state"), picked.map((item) => (stateOf(item) ? tell(stateOf(item)) : []))));
    const clear = make("button", { type: "button", class: "clear" }, ...tell("Clear"));
    clear.addEventListener("click", () => { for (const item of [...picked]) compare(item); });
    const table = make("table", {}, make("thead", {}, make("tr", {}, make("td"), ...heads)), make("tbody", {}, ...rows));
    const bar = make("p", { class: "tray-bar", role: "status" }, ...tell("{n} to compare", { n: picked.length }));
    tray.replaceChildren(make("div", { class: "tray-head" }, bar, clear), named(make("div", { class: "tray-table", tabindex: 0, role: "group" }, table), "Compared"));
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.closest(".tray")) for (const item of [...picked]) compare(item);
  });
}
