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
      if (parent.matches(".step, .gathered")) parent.dispatchEvent(new CustomEvent("reveal"));
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
