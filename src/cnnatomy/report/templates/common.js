"use strict";
// Everything here is a convenience: without scripts the page shows the same.

const root = document.documentElement;
const all = (what, within = document) => [...within.querySelectorAll(what)];
const one = (what, within = document) => within.querySelector(what);
const make = (tag, attributes = {}, ...content) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...content);
  return element;
};

// Two languages: what is said stands in the page in both, as elements that the style sheet hides, or as attributes that are put
// in each other's place.
const CHINESE = "zh-Hans", words = JSON.parse(document.body.dataset.words);
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const tell = (text, values = {}) => [
  make("span", { lang: "en" }, filled(text, values)),
  make("span", { lang: CHINESE }, filled(words[text] ?? text, values)),
];
const spoken = ["aria-label", "placeholder"];
const speak = (element) => {
  for (const attribute of spoken) {
    const chinese = element.getAttribute(`data-zh-${attribute}`);
    if (chinese === null) continue;
    if (!element.hasAttribute(`data-en-${attribute}`))
      element.setAttribute(`data-en-${attribute}`, element.getAttribute(attribute));
    element.setAttribute(attribute, root.lang === CHINESE ? chinese : element.getAttribute(`data-en-${attribute}`));
  }
};
const named = (element, text, values = {}) => {
  element.setAttribute("data-en-aria-label", filled(text, values));
  element.setAttribute("data-zh-aria-label", filled(words[text] ?? text, values));
  element.setAttribute("aria-label", filled(text, values));
  speak(element);
  return element;
};
const translated = (select) => { // options hold no elements
  const speakOptions = () => {
    for (const option of all("[data-text]", select))
      option.textContent = root.lang === CHINESE ? words[option.dataset.text] : option.dataset.text;
  };
  one(".language").addEventListener("click", () => setTimeout(speakOptions));
  speakOptions();
};
const texts = (element) => { // what is said in it, once for each language
  const spans = all("span[lang]", element);
  if (!spans.length) return [element.textContent];
  return ["en", CHINESE].map((language) => {
    const copy = element.cloneNode(true);
    for (const span of all("span[lang]", copy)) if (span.lang !== language) span.remove();
    return copy.textContent;
  });
};
const kept = (key, value) => {
  try { localStorage.setItem(`cnnatomy-${key}`, value); } catch { /* see early.js */ }
};

const speakAll = (within = document) => {
  const { title, zhTitle } = document.body.dataset;
  document.title = root.lang === CHINESE ? zhTitle : title;
  for (const said of all("[data-zh]", within)) { // titles and descriptions of drawings
    said.dataset.en ??= said.textContent;
    said.textContent = root.lang === CHINESE ? said.dataset.zh : said.dataset.en;
  }
  for (const element of all(spoken.map((name) => `[data-zh-${name}]`).join(), within)) speak(element);
};
{
  one(".language").addEventListener("click", () => {
    root.lang = root.lang === CHINESE ? "en" : CHINESE;
    kept("language", root.lang);
    speakAll();
  });
  if (root.lang === CHINESE) speakAll();
}

// Theme: the system's, light, dark.
{
  const button = one(".theme"), name = one(".theme-name");
  const themes = ["", "light", "dark"], names = { "": "Auto", light: "Light", dark: "Dark" };
  const say = () => {
    const theme = names[root.dataset.theme ?? ""];
    name.replaceChildren(...tell(theme));
    named(button, `Theme: ${theme}`);
  };
  button.addEventListener("click", () => {
    const next = themes[(themes.indexOf(root.dataset.theme ?? "") + 1) % themes.length];
    if (next) root.dataset.theme = next; else delete root.dataset.theme;
    kept("theme", next);
    say();
  });
  say();
}

// Tables: a click on a column's head sorts by it.
const sortable = (table) => {
  const body = one("tbody", table), heads = all("thead th", table);
  if (body.rows.length < 2) return;
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
};
