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
