// The plan: a menu where there is little room, the exhibit on screen marked, search.
{
  const plan = one(".plan"), menu = one(".menu");
  const show = (open) => { plan.classList.toggle("open", open); menu.setAttribute("aria-expanded", open); };
  menu.addEventListener("click", () => show(!plan.classList.contains("open")));
  one(".plan-chapters").addEventListener("click", (event) => { if (event.target.closest("a")) show(false); });

  const links = new Map(all(".plan-chapters a").map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
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
    const chapter = texts(one("h2", exhibit.closest(".chapter"))).map(plainly);
    return { link: links.get(decodeURIComponent(exhibit.id)), title: [...title, ...chapter].join("\n"), lines: lines.flat() };
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
    for (const chapter of all(".plan-chapters > li"))
      chapter.hidden = query !== "" && !all("li", chapter).some((entry) => !entry.hidden);
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
