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
    for (const key of keys) for (const sign of ["↓", "↑"]) select.append(make("option", { value: sign + key, "data-key": key, "data-sign": sign }));
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
  if (one(".sounds", work)) { // whose click plays
    const button = make("button", { type: "button", class: "enlarge" }, ...tell("Enlarge"));
    button.addEventListener("click", () => zoom(one('.item[tabindex="0"]', work) ?? one(".item", work)));
    tools.append(button);
  }
  if (tools.children.length) one(".groups", work).before(tools);
};
preparing.push((exhibit) => { for (const work of all(".work-grid", exhibit)) prepareGrid(work); });
