// On the path through the lecture: a bar that says where one is, and ← → to the stop before and behind. The address remembers it: `#path/…`.
{
  const stops = all(".path-sign").sort((a, b) => a.dataset.place - b.dataset.place), bar = make("nav", { class: "path-bar", hidden: "" });
  const hashOf = (stop) => `#${stop.id}`;
  let at = -1;
  const said = (stop) => one(".path-sign-says > a", stop).cloneNode(true).childNodes;
  const title = (place) => {
    const sign = stops[place - 1] ?? stops[place + 1], way = one(stops[place - 1] ? "[rel=next]" : "[rel=prev]", sign);
    return [...way.childNodes].filter((node) => !node.ariaHidden).map((node) => node.cloneNode(true));
  };
  const button = (place, text, sign) => {
    const link = named(make("a", {}, sign), text);
    if (stops[place]) link.href = hashOf(stops[place]);
    else link.setAttribute("aria-disabled", "true");
    return link;
  };
  const show = () => {
    root.classList.toggle("on-path", at >= 0);
    bar.hidden = at < 0;
    if (at < 0) return;
    const leave = named(make("button", { type: "button" }, "×"), "Leave the path");
    leave.addEventListener("click", () => { history.replaceState(null, "", `#${stops[at].closest(".exhibit").id}`); at = -1; show(); });
    bar.replaceChildren(
      make("span", { class: "path-bar-where" }, ...said(stops[at])), make("span", { class: "path-bar-title" }, ...title(at)),
      button(at - 1, "Previous stop", "←"), button(at + 1, "Next stop", "→"), leave);
  };
  // Who goes on within the exhibit, as from a cell to its pictures, stays on the path; who goes elsewhere leaves it.
  const arrive = () => {
    const given = decoded(location.hash.slice(1));
    const here = stops.findIndex((stop) => stop.id === given);
    if (here >= 0) { at = here; stops[at].focus({ preventScroll: true }); }
    else if (at >= 0 && !stops[at].closest(".exhibit").contains(document.getElementById(given))) at = -1;
    show();
  };
  if (stops.length) {
    named(bar, "Follow the lecture");
    one("main").after(bar);
    addEventListener("hashchange", arrive);
    arrive();
    const busy = "input, select, textarea, .items, .walk, .wide, .drawing, .path-stops, .tray, dialog, [contenteditable]";
    document.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (at < 0 || !step || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
      if (event.target.closest?.(busy) || one("dialog[open]") || root.classList.contains("slides") || !stops[at + step]) return;
      event.preventDefault();
      location.hash = hashOf(stops[at + step]);
    });
  }
}
