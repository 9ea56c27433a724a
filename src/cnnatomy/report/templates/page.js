"use strict";
// Everything here is a convenience: without scripts the page shows the same.

const all = (what, within = document) => [...within.querySelectorAll(what)];
const one = (what, within = document) => within.querySelector(what);
const make = (tag, attributes = {}, text = "") => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  return element;
};

// Theme: the system's, light, dark.
{
  const root = document.documentElement, button = one(".theme"), name = one(".theme-name");
  const themes = ["", "light", "dark"], names = { "": "Auto", light: "Light", dark: "Dark" };
  const say = () => {
    name.textContent = names[root.dataset.theme ?? ""];
    button.setAttribute("aria-label", `Theme: ${name.textContent}`);
  };
  button.addEventListener("click", () => {
    const next = themes[(themes.indexOf(root.dataset.theme ?? "") + 1) % themes.length];
    if (next) root.dataset.theme = next; else delete root.dataset.theme;
    try { localStorage.setItem("cnnatomy-theme", next); } catch { /* see early.js */ }
    say();
  });
  say();
}

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
  const index = all(".exhibit").map((exhibit) => ({
    link: links.get(decodeURIComponent(exhibit.id)),
    texts: all("[data-search]", exhibit).map((element) => plainly(element.textContent)),
    hall: plainly(one("h2", exhibit.closest(".hall")).textContent),
  })).filter((entry) => entry.link);
  const search = () => {
    const query = plainly(find.value).toLowerCase(), words = query.split(" ");
    let count = 0;
    for (const { link, texts, hall } of index) {
      const text = [hall, ...texts].join("\n").toLowerCase();
      const hit = words.every((word) => text.includes(word));
      link.parentElement.hidden = !hit;
      count += hit && query !== "";
      one(".snippet", link)?.remove();
      const where = query && hit && texts.slice(1).find((line) => line.toLowerCase().includes(words[0]));
      if (where && !texts[0].toLowerCase().includes(words[0])) link.append(snippet(where, words[0]));
    }
    for (const hall of all(".plan-halls > li"))
      hall.hidden = query !== "" && !all("li", hall).some((entry) => !entry.hidden);
    found.textContent = query ? `${count || "Nothing"} found` : "";
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
    if (event.key === "Enter") index.find(({ link }) => find.value && !link.parentElement.hidden)?.link.click();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.closest("input")) return;
    event.preventDefault();
    show(true);
    find.focus();
  });
}

// Grids: hover or focus shows what is known of an item; arrows move; sounds play.
{
  const hover = one(".hover");
  let shown = null;
  const show = (item) => {
    shown = item;
    hover.replaceChildren();
    const picture = one("img", item).cloneNode(), label = one(".item-label", item).textContent;
    const [width, height] = item.dataset.pixels.split(" × ").map(Number);
    const zoom = Math.max(1, Math.min(Math.floor(220 / Math.max(width, height)), 40));
    picture.width = width * zoom;
    picture.height = height * zoom;
    hover.append(picture, make("strong", {}, label), one(".facts", item).cloneNode(true));
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

  for (const list of all(".items")) {
    const items = all(".item", list);
    items.forEach((item, index) => {
      item.tabIndex = index ? -1 : 0;
      if (item.classList.contains("sounds")) {
        item.setAttribute("role", "button");
        item.setAttribute("aria-pressed", "false");
      }
    });
    list.addEventListener("mouseover", (event) => {
      const item = event.target.closest(".item");
      if (item) show(item);
    });
    list.addEventListener("mouseleave", hide);
    list.addEventListener("focusin", (event) => {
      const item = event.target.closest(".item");
      if (!item) return;
      for (const other of items) other.tabIndex = other === item ? 0 : -1;
      if (item.matches(":focus-visible")) show(item);
    });
    list.addEventListener("focusout", hide);
    list.addEventListener("click", (event) => {
      const item = event.target.closest(".sounds");
      if (item) play(item);
    });
    list.addEventListener("keydown", (event) => {
      const item = event.target.closest(".item");
      if (!item) return;
      const at = items.indexOf(item);
      const rows = items.filter((other) => other.offsetTop === items[0].offsetTop).length;
      const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: rows, ArrowUp: -rows }[event.key];
      if (event.key === "Escape") hide();
      else if ((event.key === "Enter" || event.key === " ") && item.classList.contains("sounds")) play(item);
      else if (event.key === "Home") items[0].focus();
      else if (event.key === "End") items.at(-1).focus();
      else if (step) items[Math.max(0, Math.min(items.length - 1, at + step))].focus();
      else return;
      event.preventDefault();
    });
  }
}

// Links to items: from a matrix's cell, which marks all that it stands for, or from an address.
{
  const reveal = (element) => {
    for (let parent = element; parent; parent = parent.parentElement) {
      if (parent.tagName === "DETAILS") parent.open = true;
      if (parent.classList.contains("step")) parent.dispatchEvent(new CustomEvent("reveal"));
    }
  };
  const target = () => document.getElementById(location.hash.slice(1)) ??
    document.getElementById(decodeURIComponent(location.hash.slice(1)));
  document.addEventListener("click", (event) => {
    for (const marked of all(".marked")) marked.classList.remove("marked");
    const link = event.target.closest("[data-items]");
    if (!link) return;
    const found = link.dataset.items.split(" ").map((id) => document.getElementById(id)).filter(Boolean);
    for (const element of found) element.classList.add("marked");
    if (found.length) { reveal(found[0]); setTimeout(() => found[0].focus({ preventScroll: true })); }
  });
  const land = () => {
    const element = location.hash.length > 1 && target();
    if (!element) return;
    reveal(element);
    element.scrollIntoView();
  };
  addEventListener("hashchange", land);
  addEventListener("load", land);
}

// Steps: one frame at a time.
for (const list of all(".steps")) {
  const frames = all(":scope > .step", list), walk = make("div", { class: "walk" });
  const label = list.closest(".exhibit").querySelector("h3").textContent.trim();
  const back = make("button", { type: "button" }, "Back"), on = make("button", { type: "button" }, "Next");
  const slider = make("input", { type: "range", min: 1, max: frames.length, value: 1, "aria-label": `Step of ${label}` });
  const where = make("output", { "aria-live": "polite" });
  let at = 0;
  const go = (next) => {
    at = Math.max(0, Math.min(frames.length - 1, next));
    frames.forEach((frame, index) => frame.classList.toggle("current", index === at));
    slider.value = at + 1;
    where.textContent = `${at + 1} of ${frames.length}`;
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
}

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
  for (const calculator of all(".calculator")) {
    const entries = all("input", calculator), complaint = one(".complaint", calculator);
    const count = () => {
      const known = {}, wrong = entries.filter((entry) => !entry.validity.valid);
      for (const entry of entries) {
        known[entry.name] = entry.valueAsNumber;
        entry.setAttribute("aria-invalid", wrong.includes(entry));
      }
      complaint.textContent = wrong.map(({ labels, min, max }) =>
        `${labels[0].textContent.trim()}: give a whole number from ${plain(min)} to ${plain(max)}.`).join(" ");
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
  }
}

// Tables: a click on a column's head sorts by it.
for (const table of all("table.data")) {
  const body = one("tbody", table), heads = all("thead th", table);
  if (body.rows.length < 2) continue;
  heads.forEach((head, column) => {
    const button = make("button", { type: "button" });
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const rising = head.getAttribute("aria-sort") !== "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", rising ? "ascending" : "descending");
      const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
      const order = (a, b) => {
        const [x, y] = [key(a), key(b)];
        if (x === "" || y === "") return (x === "") - (y === ""); // what is empty stays last
        const [m, n] = [Number(x), Number(y)];
        const sign = Number.isNaN(m) || Number.isNaN(n) ? x.localeCompare(y, undefined, { numeric: true }) : m - n;
        return rising ? sign : -sign;
      };
      body.append(...[...body.rows].sort(order));
    });
  });
}

