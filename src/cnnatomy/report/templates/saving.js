// Where a picture comes from: what hangs more than once is stored once, as a background.
const sourceOf = (picture) => picture.classList.contains("repeated")
  ? /url\("(.*)"\)/.exec(getComputedStyle(picture).backgroundImage)[1] : picture.src;

// Of an item with several pictures, the one that is shown.
const pictureOf = (item) => all("img", item)[item.closest(".work")?.dataset.way ?? 0] ?? one("img", item);

// What can be saved: tables as they were packed, drawings as they are drawn, grids as one sheet.
{
  const save = (name, blob) => {
    const link = make("a", { download: name, href: URL.createObjectURL(blob) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  };
  const unpacked = (packed, type) => {
    const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream, { headers: { "content-type": type } }).blob();
  };

  // A drawing by itself, in the light theme: no class, no variable, so that any program can show it.
  const PROPERTIES = [
    "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-dashoffset",
    "stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "opacity", "font-family", "font-size", "font-style",
    "font-weight", "text-anchor", "dominant-baseline", "stop-color", "stop-opacity", "paint-order", "clip-path", "mask",
    "visibility", "image-rendering", "mix-blend-mode",
  ];
  const drawn = (svg) => {
    svg.style.colorScheme = "light";
    svg.style.color = "var(--ink)"; // what is drawn in the text's colour would keep that of the dark theme
    const copy = svg.cloneNode(true);
    const { width, height } = svg.viewBox.baseVal;
    const originals = [svg, ...svg.querySelectorAll("*")], copies = [copy, ...copy.querySelectorAll("*")];
    originals.forEach((original, index) => {
      const target = copies[index], style = getComputedStyle(original);
      if (original.matches("tspan[lang]")) { // of the languages the one that is shown, as plain text
        target.replaceWith(style.display === "none" ? "" : target.textContent);
        return;
      }
      const whole = index === 0 || original.hasAttribute("class");
      for (const name of PROPERTIES) {
        const own = original.getAttribute(name);
        if (!whole && !(own && /var\(|currentcolor|light-dark/i.test(own))) continue;
        const value = style.getPropertyValue(name);
        if (value && (index === 0 || value !== getComputedStyle(original.parentElement).getPropertyValue(name) || own))
          target.setAttribute(name, value);
      }
      if (original.hasAttribute("class") && style.transform !== "none") target.setAttribute("transform", style.transform);
      target.removeAttribute("class");
      target.removeAttribute("style");
      for (const tag of Object.values(tags)) target.removeAttribute(`data-${tag}`);
    });
    svg.style.colorScheme = svg.style.color = "";
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    return { text: `<?xml version="1.0" encoding="utf-8"?>\n${new XMLSerializer().serializeToString(copy)}`, width, height };
  };
  const canvas = (width, height) => {
    const sheet = make("canvas", { width: Math.ceil(width), height: Math.ceil(height) }), pen = sheet.getContext("2d");
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, sheet.width, sheet.height);
    return [sheet, pen];
  };
  const png = (sheet) => new Promise((done) => sheet.toBlob(done, "image/png"));
  const painted = async (svg) => {
    const { text, width, height } = drawn(svg), scale = 2, image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
    await image.decode();
    const [sheet, pen] = canvas(width * scale, height * scale);
    pen.drawImage(image, 0, 0, sheet.width, sheet.height);
    return png(sheet);
  };

  // A grid by itself: its pictures as they stand, what is hidden left out, each with its label.
  const gathered = async (work) => {
    const gap = 12, line = 14, font = "12px sans-serif";
    const groups = all(".gathered", work).filter((group) => getComputedStyle(group).display !== "none").map((group) => ({
      title: one(".group", group) ? textOf(one(".group", group)) : "",
      items: all(".items > li:not([hidden]) .item", group),
    })).filter(({ items }) => items.length);
    const pictures = groups.flatMap(({ items }) => items).map(pictureOf);
    const across = Math.max(40, ...pictures.map((picture) => picture.width)) + gap;
    const columns = Math.max(1, Math.min(Math.max(...groups.map(({ items }) => items.length)), Math.floor(1600 / across)));
    const rows = groups.flatMap(({ title, items }) => {
      const found = title ? [{ title, height: 2 * line }] : [];
      for (let at = 0; at < items.length; at += columns) {
        const row = items.slice(at, at + columns);
        found.push({ row, height: Math.max(...row.map((item) => pictureOf(item).height)) + line + gap });
      }
      return found;
    });
    const [sheet, pen] = canvas(columns * across + gap, rows.reduce((sum, { height }) => sum + height, gap));
    pen.imageSmoothingEnabled = false;
    pen.font = font;
    pen.fillStyle = "#222";
    const shortened = (text) => {
      let shown = text;
      while (shown && pen.measureText(shown).width > across - 4) shown = shown.slice(0, -1);
      return shown === text ? text : `${shown.slice(0, -1)}…`;
    };
    let top = gap;
    for (const { title, row, height } of rows) {
      if (title) pen.fillText(title, gap, top + line);
      for (const [column, item] of (row ?? []).entries()) {
        const hung = pictureOf(item), left = gap + column * across, picture = new Image();
        picture.src = sourceOf(hung);
        await picture.decode();
        pen.drawImage(picture, left, top, hung.width, hung.height);
        const sign = one(".sign", item)?.textContent ?? "";
        pen.fillText(shortened(`${sign} ${textOf(one(".item-label", item))}`.trim()), left, top + hung.height + line);
      }
      top += height;
    }
    return png(sheet);
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-save]");
    if (!button) return;
    const { save: kind, name, packed } = button.dataset, work = button.closest(".work"), svg = work && one(".drawing svg", work);
    if (kind === "csv") save(name, await unpacked(packed, "text/csv;charset=utf-8"));
    else if (kind === "py") save(name, new Blob([one(".code", work).textContent], { type: "text/x-python" }));
    else if (kind === "svg") save(name, new Blob([drawn(svg).text], { type: "image/svg+xml" }));
    else save(name, await (svg ? painted(svg) : gathered(work)));
  });
}
