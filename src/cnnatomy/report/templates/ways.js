// Where items have several pictures, or come in groups that are shown one at a time, a switch says which: of all items of
// the exhibit at once.
{
  const named = (work) => all(".ways .way", work).map((way) => texts(way)[0]).join("\n");
  const turn = (work, way) => {
    for (const other of all(".work-grid[data-way]", work.closest(".exhibit"))) {
      if (other.dataset.ways !== work.dataset.ways) continue;
      other.dataset.way = way;
      all(".ways input", other)[way].checked = true;
    }
  };
  const prepareWays = (work) => {
    const names = all(".ways .way", work);
    if (!names.length) return;
    work.dataset.ways = named(work);
    work.dataset.way = 0;
    const choices = names.map((name, way) => {
      const input = make("input", { type: "radio", name: `${work.id}--way`, value: way, ...(way ? {} : { checked: "" }) });
      input.addEventListener("change", () => turn(work, way));
      return make("label", {}, input, name);
    });
    for (const group of all(".gathered[class*=way-]", work)) // what an address leads to is shown
      group.addEventListener("reveal", () => turn(work, Number(/way-(\d+)/.exec(group.className)[1])));
    one(".ways", work).replaceWith(make("fieldset", { class: "ways" }, make("legend", {}, ...tell("Shown:")), ...choices));
  };
  preparing.push((exhibit) => { for (const work of all(".work-grid", exhibit)) prepareWays(work); });
}
