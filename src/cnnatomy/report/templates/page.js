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
