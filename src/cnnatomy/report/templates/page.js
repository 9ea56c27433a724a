// The works of an exhibit lie in a <noscript>, which is text where scripts run. They are hung, and get their buttons and tools,
// when the exhibit comes near the screen or when there is time, so that a page of very many opens at once.
const preparing = [], waiting = new Set(all(".exhibit, .made-of"));
const prepare = (exhibit) => {
  if (!waiting.delete(exhibit)) return;
  const works = one(":scope > .works", exhibit), later = works && one(":scope > noscript", works);
  if (later) works.innerHTML = later.textContent;
  for (const work of preparing) work(exhibit);
  if (root.lang === languages[0]) return;
  speakAll(exhibit);
  speakItems(exhibit);
};
const prepareAll = () => { for (const exhibit of waiting) prepare(exhibit); };
preparing.push((exhibit) => { for (const table of all("table.data", exhibit)) sortable(table); });

// The plan: a menu where there is little room, the exhibit on screen marked, search.
{
  const plan = one(".plan"), menu = one(".menu");
  const show = (open) => { plan.classList.toggle("open", open); menu.setAttribute("aria-expanded", open); };
  menu.addEventListener("click", () => show(!plan.classList.contains("open")));
  one(".plan-halls").addEventListener("click", (event) => { if (event.target.closest("a")) show(false); });

  const links = new Map(all(".plan-halls a").map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
  const seen = new Set();
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) entry.isIntersecting ? seen.add(entry.target) : seen.delete(entry.target);
    const here = all(".exhibit, .made-of").findLast((exhibit) => seen.has(exhibit));
    for (const link of links.values()) link.removeAttribute("aria-current");
    const link = here && links.get(decodeURIComponent(here.id));
    if (!link) return;
    link.setAttribute("aria-current", "location");
    const box = link.getBoundingClientRect();
    if (getComputedStyle(plan).height === `${innerHeight}px` && (box.top < 60 || box.bottom > innerHeight - 20))
      plan.scrollTo({ top: plan.scrollTop + box.top - innerHeight / 2 });
  }, { rootMargin: "-25% 0px -65% 0px" });
  for (const exhibit of all(".exhibit, .made-of")) watcher.observe(exhibit);

  const find = one("#find"), found = one(".found");
  const plainly = (text) => text.replace(/\s+/g, " ").trim();
  let index = null; // made when it is first wanted
  const indexed = () => (prepareAll(), index ??= all(".exhibit").map((exhibit) => {
    const [title, ...lines] = all("[data-search]", exhibit).map((element) => texts(element).map(plainly));
    const hall = texts(one("h2", exhibit.closest(".hall"))).map(plainly);
    return { link: links.get(decodeURIComponent(exhibit.id)), title: [...title, ...hall].join("\n"), lines: lines.flat() };
  }).filter((entry) => entry.link));
  const search = () => {
    const query = plainly(find.value).toLowerCase(), parts = query.split(" ");
    let count = 0;
    for (const { link, title, lines } of indexed()) {
      const text = [title, ...lines].join("\n").toLowerCase();
      const hit = parts.every((word) => text.includes(word));
      link.parentElement.hidden = !hit;
      count += hit && query !== "";
      one(".snippet", link)?.remove();
      const where = query && hit && lines.find((line) => line.toLowerCase().includes(parts[0]));
      if (where && !title.toLowerCase().includes(parts[0])) link.append(snippet(where, parts[0]));
    }
    for (const hall of all(".plan-halls > li"))
      hall.hidden = query !== "" && !all("li", hall).some((entry) => !entry.hidden);
    found.replaceChildren(...(query ? count ? tell("{n} found", { n: count }) : tell("Nothing found") : []));
  };
  const snippet = (line, word) => {
    const at = line.toLowerCase().indexOf(word), from = Math.max(0, at - 24);
    const element = make("span", { class: "snippet" }, (from ? "…" : "") + line.slice(from, at));
    element.append(make("mark", {}, line.slice(at, at + word.length)), line.slice(at + word.length, at + 40), "…");
    return element;
  };
  find.addEventListener("input", search);
  find.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { find.value = ""; search(); }
    if (event.key === "Enter") indexed().find(({ link }) => find.value && !link.parentElement.hidden)?.link.click();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.closest("input, select")) return;
    event.preventDefault();
    show(true);
    find.focus();
  });
}

// What is known of an item of a grid: its values as the page shows them, its state, its picture enlarged by a whole number.
const valuesOf = (item) => Object.entries(JSON.parse(item.dataset.facts));
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
  const hung = one("img", item), picture = make("img", { alt: "", src: sourceOf(hung) });
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
    const hint = item.classList.contains("sounds") ? "Click to hear, C to compare" : "Click or press C to compare";
    const label = one(".item-label", item).cloneNode(true).childNodes;
    hover.append(enlarged(item, 220), make("strong", {}, ...label), make("dl", { class: "facts" }, ...facts), make("p", { class: "hint" }, ...tell(hint)));
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
      if (item.classList.contains("sounds") && !event.shiftKey) play(item);
      else compare(item);
    });
    list.addEventListener("keydown", (event) => {
      const item = event.target.closest(".item");
      if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
      const shown = items(), at = shown.indexOf(item);
      const row = shown.filter((other) => other.offsetTop === shown[0].offsetTop).length;
      const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: row, ArrowUp: -row }[event.key];
      if (event.key === "Escape") hide();
      else if (event.key === "Enter" || event.key === " ") item.classList.contains("sounds") ? play(item) : compare(item);
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
      return make("th", { scope: "col" }, away, enlarged(item, 120), link, make("span", { class: "where" }, ...where.childNodes));
    });
    const row = (name, cells) => make("tr", {}, make("th", { scope: "row" }, ...name), ...cells.map((cell) => make("td", {}, ...cell)));
    const rows = keys.map((key) => row([make("bdi", {}, key)], values.map((known) => [known.get(key) ?? ""])));
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

// Grids again: in another order, and without the dead.
const prepareGrid = (work) => {
  const rows = all(".items > li", work), dead = rows.filter((row) => one(".is-dead", row));
  const values = new Map(rows.map((row) => [row, new Map(valuesOf(one(".item", row)))]));
  const keys = [...new Set(rows.flatMap((row) => [...values.get(row).keys()]))];
  const states = new Set(rows.map((row) => stateOf(one(".item", row))));
  const tools = make("div", { class: "tools" });
  if (rows.length > 2 && (keys.length || states.size > 1)) {
    const select = named(make("select"), "Order of the pictures");
    const choices = [["", "as given"], ...(states.size > 1 ? [["state", "by state"]] : [])];
    for (const [name, text] of choices) select.append(make("option", { value: name, "data-text": text }));
    for (const key of keys) for (const sign of ["↓", "↑"]) select.append(make("option", { value: sign + key }, `${key} ${sign}`));
    translated(select);
    const lists = new Map(all(".items", work).map((list) => [list, [...list.children]]));
    const STATES = ["right", "live", "rescued", "wrong", "dead"];
    const order = (choice) => (row) => {
      if (choice === "state") return STATES.indexOf(stateOf(one(".item", row)));
      const key = choice.slice(1), value = values.get(row).get(key);
      if (value === undefined) return Infinity; // what has no value comes last
      return (choice[0] === "↓" ? -1 : 1) * (exactOf(one(".item", row))[key] ?? numberOf(value));
    };
    select.addEventListener("change", () => {
      const rank = order(select.value);
      for (const [list, given] of lists) list.append(...(select.value ? [...given].sort((a, b) => (rank(a) - rank(b)) || 0) : given));
    });
    tools.append(make("label", {}, make("span", {}, ...tell("Order")), select));
  }
  if (dead.length && dead.length < rows.length) {
    const box = make("input", { type: "checkbox" });
    box.addEventListener("change", () => {
      for (const row of dead) row.hidden = box.checked;
      for (const list of all(".items", work)) { // one of each list can be reached with Tab, and it must be there
        const shown = all(":scope > li:not([hidden]) > .item", list);
        if (shown.length && !shown.some((item) => item.tabIndex === 0)) shown[0].tabIndex = 0;
      }
    });
    work.addEventListener("reveal", ({ target }) => { if (target.closest("li")?.hidden) box.click(); });
    tools.append(make("label", {}, box, make("span", {}, ...tell("Hide {n} dead", { n: dead.length }))));
  }
  if (tools.children.length) one(".groups", work).before(tools);
};
preparing.push((exhibit) => { for (const work of all(".work-grid", exhibit)) prepareGrid(work); });

// A label beside the works scrolls with them where the window is too low for it; the style sheet asks how tall it is.
{
  const measure = new ResizeObserver((entries) => {
    for (const { target, borderBoxSize } of entries) target.style.setProperty("--tall", `${borderBoxSize[0].blockSize}px`);
  });
  for (const label of all(".placard-inner")) measure.observe(label);
}

// Links to items: from a matrix's cell, which marks all that it stands for, or from an address.
{
  const reveal = (element) => {
    prepare(element.closest(".exhibit, .made-of"));
    for (let parent = element; parent; parent = parent.parentElement) {
      if (parent.tagName === "DETAILS") parent.open = true;
      if (parent.classList.contains("step")) parent.dispatchEvent(new CustomEvent("reveal"));
      if (parent.tagName === "LI" && parent.hidden) parent.dispatchEvent(new CustomEvent("reveal", { bubbles: true }));
    }
  };
  const target = () => {
    const given = location.hash.slice(1), names = [given];
    try { names.push(decodeURIComponent(given)); } catch { /* a % that is none of ours */ }
    for (const exhibit of waiting) // what is asked for may be in one that isn't hung yet
      if (names.some((name) => name.startsWith(`${exhibit.id}-`) || name.startsWith(`${exhibit.id}:`))) prepare(exhibit);
    return names.map((name) => document.getElementById(name)).find(Boolean);
  };
  document.addEventListener("click", (event) => {
    for (const marked of all(".marked")) marked.classList.remove("marked");
    const link = event.target.closest("[data-items]");
    if (!link) return;
    const found = link.dataset.items.split(" ").map((id) => document.getElementById(id)).filter(Boolean);
    for (const element of found) element.classList.add("marked");
    if (found.length) { reveal(found[0]); setTimeout(() => found[0].focus({ preventScroll: true })); }
  });
  // What is hung above pushes down what was landed on; it is followed until the reader moves on.
  let landed = null;
  for (const moves of ["wheel", "touchmove", "pointerdown", "keydown"])
    addEventListener(moves, () => { landed = null; }, { passive: true, capture: true });
  new ResizeObserver(() => landed?.scrollIntoView()).observe(one("main"));
  const land = () => {
    const element = location.hash.length > 1 && target();
    if (!element) return;
    reveal(element);
    if (element.matches(".item, .sentence")) element.classList.add("marked"); // :target is not what was hung after it was sought
    landed = element;
    element.scrollIntoView();
  };
  addEventListener("hashchange", land);
  addEventListener("load", land);
}

// Steps: one frame at a time.
const prepareSteps = (list) => {
  const frames = all(":scope > .step", list), walk = make("div", { class: "walk" });
  const back = make("button", { type: "button" }, ...tell("Back")), on = make("button", { type: "button" }, ...tell("Next"));
  const slider = named(make("input", { type: "range", min: 1, max: frames.length, value: 1 }), "Step of {what}", {
    what: texts(one("h3 .here", list.closest(".exhibit")))[0].trim(),
  });
  const where = make("output", { "aria-live": "polite" });
  let at = 0;
  const go = (next) => {
    at = Math.max(0, Math.min(frames.length - 1, next));
    frames.forEach((frame, index) => frame.classList.toggle("current", index === at));
    slider.value = at + 1;
    where.replaceChildren(...tell("{at} of {all}", { at: at + 1, all: frames.length }));
    back.disabled = at === 0;
    on.disabled = at === frames.length - 1;
  };
  back.addEventListener("click", () => go(at - 1));
  on.addEventListener("click", () => go(at + 1));
  slider.addEventListener("input", () => go(slider.value - 1));
  frames.forEach((frame, index) => frame.addEventListener("reveal", () => go(index)));
  walk.append(back, on, slider, where);
  list.before(walk);
  list.classList.add("walking");
  go(0);
};
preparing.push((exhibit) => { for (const list of all(".steps", exhibit)) prepareSteps(list); });

// Calculators: what formulas such as ["+", 1, ["*", 2, "padding"]] make of the numbers that are typed.
{
  const operations = {
    "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "//": (a, b) => Math.floor(a / b),
    max: (a, b) => Math.max(a, b),
  };
  const evaluate = (formula, known) => Array.isArray(formula)
    ? formula.slice(1).map((part) => evaluate(part, known)).reduce((a, b) => operations[formula[0]](a, b))
    : known[formula] ?? formula;
  const plain = (value) => (Math.abs(value) < 1e4 ? `${value}` : `${value}`.replace(/\B(?=(\d{3})+$)/g, "\u202f")).replace("-", "−");
  const prepareCalculator = (calculator) => {
    const entries = all("input", calculator), complaint = one(".complaint", calculator);
    const count = () => {
      const known = {}, wrong = entries.filter((entry) => !entry.validity.valid);
      for (const entry of entries) {
        known[entry.name] = entry.valueAsNumber;
        entry.setAttribute("aria-invalid", wrong.includes(entry));
      }
      complaint.replaceChildren(...wrong.flatMap(({ labels, min, max }) => [
        make("bdi", {}, ...one("span", labels[0]).cloneNode(true).childNodes),
        ...tell(": give a whole number from {least} to {most}. ", { least: plain(min), most: plain(max) }),
      ]));
      for (const result of all("[data-formulas]", calculator)) {
        const values = JSON.parse(result.dataset.formulas).map((formula) => evaluate(formula, known));
        if (values.length === 1) known[result.dataset.name] = values[0];
        one(".value", result).textContent = wrong.length ? "–" : values.map(plain).join(" × ");
        const zero = one(".zero", result);
        if (zero) zero.hidden = wrong.length > 0 || !values.includes(0);
      }
    };
    for (const entry of entries) {
      entry.readOnly = false;
      entry.addEventListener("input", count);
    }
    count();
  };
  preparing.push((exhibit) => { for (const calculator of all(".calculator", exhibit)) prepareCalculator(calculator); });
}

// Now that it is known what there is to do.
{
  const near = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) { prepare(target); near.unobserve(target); }
  }, { rootMargin: "150% 0px" });
  for (const exhibit of waiting) near.observe(exhibit);
  const idle = window.requestIdleCallback ?? ((work) => setTimeout(() => work({ timeRemaining: () => 1 }), 50));
  const onward = (deadline) => {
    for (const exhibit of waiting) {
      prepare(exhibit);
      if (deadline.timeRemaining() < 5) break;
    }
    if (waiting.size) idle(onward);
  };
  addEventListener("load", () => idle(onward));
  addEventListener("beforeprint", prepareAll);
  matchMedia("print").addEventListener("change", ({ matches }) => { if (matches) prepareAll(); });
  document.addEventListener("focusin", (event) => prepare(event.target.closest(".exhibit, .made-of")), { capture: true });
}

// A page that grows: loaded again in place.
{
  const growing = one("#growing");
  if (growing) setTimeout(() => location.reload(), 1000 * growing.dataset.reload);
}
