// One exhibit alone, on paper or as a PDF: its caption, numbers, works and sources, and from which report it is.
{
  const printAlone = (exhibit) => {
    prepare(exhibit);
    const chapter = one("h2 .here", exhibit.closest(".chapter")), title = one("h3 .here", exhibit), before = document.title;
    const copy = (element) => make("span", {}, ...element.cloneNode(true).childNodes);
    const from = [...(one("h1") ? [copy(one("h1"))] : []), copy(chapter), make("span", { translate: "no" }, `#${exhibit.id}`), ...all(".imprint").map(copy)];
    const foot = make("p", { class: "print-foot" }, ...from);
    exhibit.append(foot);
    exhibit.classList.add("printed");
    root.classList.add("printing-one");
    document.title = `${textOf(title)} · ${textOf(chapter)}`; // the name that a PDF is given
    addEventListener("afterprint", () => {
      root.classList.remove("printing-one");
      exhibit.classList.remove("printed");
      foot.remove();
      document.title = before;
    }, { once: true });
    window.print();
  };
  preparing.push((exhibit) => {
    const label = one(":scope > .placard > .placard-inner", exhibit);
    if (!label) return;
    const button = make("button", { type: "button" }, ...tell("Print this alone"));
    button.addEventListener("click", () => printAlone(exhibit));
    label.append(make("p", { class: "print-one" }, button));
  });
}
