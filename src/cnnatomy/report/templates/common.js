"use strict";
// Everything here is a convenience: without scripts the page shows the same.

const root = document.documentElement;
const all = (what, within = document) => [...within.querySelectorAll(what)];
const one = (what, within = document) => within.querySelector(what);
const decoded = (text) => { try { return decodeURIComponent(text); } catch { return text; } }; // a % may be none of ours
const make = (tag, attributes = {}, ...content) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...content);
  return element;
};

// What is said stands in the page in all languages, as elements that the style sheet hides, or as attributes that are put in each
// other's place: `data-<tag>-…`. `tags` has the tag of each language as HTML says it, English first.
const tags = JSON.parse(document.body.dataset.tags), words = JSON.parse(document.body.dataset.words);
const languages = Object.keys(tags), tag = () => tags[root.lang];
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const inTag = (tag, text) => words[tag]?.[text] ?? text;
const tell = (text, values = {}) =>
  languages.map((lang) => make("span", { lang }, filled(inTag(tags[lang], text), values)));
const names = JSON.parse(document.body.dataset.names); // of values, by tag
const nameOf = (key) => Object.values(names).some((known) => key in known)
  ? languages.map((lang) => make("span", { lang }, names[tags[lang]]?.[key] ?? key)) : [key];
const spoken = ["aria-label", "placeholder"];
const speak = (element) => {
  for (const attribute of spoken) {
    if (!Object.values(tags).some((tag) => element.hasAttribute(`data-${tag}-${attribute}`))) continue;
    if (!element.hasAttribute(`data-en-${attribute}`))
      element.setAttribute(`data-en-${attribute}`, element.getAttribute(attribute));
    const here = element.getAttribute(`data-${tag()}-${attribute}`);
    element.setAttribute(attribute, here ?? element.getAttribute(`data-en-${attribute}`));
  }
};
const named = (element, text, values = {}) => {
  for (const tag of Object.values(tags))
    element.setAttribute(`data-${tag}-aria-label`, filled(inTag(tag, text), values));
  element.setAttribute("aria-label", filled(text, values));
  speak(element);
  return element;
};
const translated = (select) => { // options hold no elements
  const speakOptions = () => {
    for (const option of all("[data-text]", select))
      option.textContent = inTag(tag(), option.dataset.text);
    for (const option of all("[data-key]", select))
      option.textContent = `${names[tag()]?.[option.dataset.key] ?? option.dataset.key} ${option.dataset.sign}`;
  };
  one(".language").addEventListener("click", () => setTimeout(speakOptions));
  speakOptions();
};
const texts = (element) => { // what is said in it, once for each language
  const spans = all("span[lang]", element);
  if (!spans.length) return [element.textContent];
  return languages.map((language) => {
    const copy = element.cloneNode(true);
    for (const span of all("span[lang]", copy)) if (span.lang !== language) span.remove();
    return copy.textContent;
  });
};
const textOf = (element) => { // in the language that was chosen
  const said = texts(element);
  return (said[languages.indexOf(root.lang)] ?? said[0]).trim();
};
const kept = (key, value) => {
  try { localStorage.setItem(`cnnatomy-${key}`, value); } catch { /* see early.js */ }
};

const speakAll = (within = document) => {
  const others = Object.values(tags).filter((tag) => tag !== "en");
  document.title = JSON.parse(document.body.dataset.titles)[tag()];
  for (const said of all(others.map((tag) => `[data-${tag}]`).join(), within)) { // titles and descriptions of drawings
    said.dataset.en ??= said.textContent;
    said.textContent = said.dataset[tag()] ?? said.dataset.en;
  }
  const attributes = others.flatMap((tag) => spoken.map((name) => `[data-${tag}-${name}]`));
  for (const element of all(attributes.join(), within)) speak(element);
};
{
  one(".language").addEventListener("click", () => {
    root.lang = languages[(languages.indexOf(root.lang) + 1) % languages.length];
    kept("language", root.lang);
    speakAll();
  });
  if (root.lang !== languages[0]) speakAll();
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
