// What can be touched. Each block holds what was measured and the rule by which it was; what a reader changes is worked out anew.
const said = (words) => typeof words === "string" ? [words]
  : languages.map((lang) => make("span", { lang }, words[tags[lang]] ?? words.en));
const shown = (value) => `${Math.abs(value) >= 1e-12 ? Number(value.toPrecision(4)) : 0}`.replaceAll("-", "−");
const button = (text, act, attributes = {}) => {
  const made = make("button", { type: "button", ...attributes }, ...(typeof text === "string" ? [text] : text));
  made.addEventListener("click", act);
  return made;
};
const stepper = ([name, fewer, larger], least, most, at, set) => { // − 1 +
  const value = make("output", {}), box = make("span", { class: "stepper", role: "group" });
  const less = named(button("−", () => go(-1)), fewer), more = named(button("+", () => go(1)), larger);
  const show = () => { value.textContent = at(); less.disabled = at() <= least; more.disabled = at() >= most; };
  const go = (by) => { set(at() + by); show(); };
  box.append(make("span", {}, ...tell(name)), less, value, more);
  return { box, show };
};
const arrowOf = ({ key }) => ({ ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] })[key]; // rows, columns
const taken = (event) => { event.preventDefault(); event.stopPropagation(); }; // a key that is none of the page's
// A table of cells; arrows move from one button to the next, so that Tab needs one step for all of them.
const board = (title, rows, columns, fill) => {
  const cells = [], table = make("table", { class: "pixels" }, make("caption", {}, ...title));
  const body = make("tbody");
  for (let row = 0; row < rows; row++) {
    const line = make("tr");
    cells.push([]);
    for (let column = 0; column < columns; column++) {
      const cell = make("td", {}, ...fill(row, column));
      cells[row].push(cell);
      line.append(cell);
    }
    body.append(line);
  }
  table.append(body);
  const buttons = all("button", table);
  buttons.forEach((each, index) => { each.tabIndex = index ? -1 : 0; });
  table.addEventListener("keydown", (event) => {
    const by = arrowOf(event), cell = event.target.closest("td");
    if (!by || event.target.tagName !== "BUTTON") return;
    const row = cells.findIndex((line) => line.includes(cell)), column = cells[row].indexOf(cell);
    const next = cells[row + by[0]]?.[column + by[1]]?.querySelector("button");
    taken(event);
    if (!next) return;
    for (const each of buttons) each.tabIndex = each === next ? 0 : -1;
    next.focus();
  });
  return { table, cells };
};
const scale = (name, count, at, said, act) => { // a slider with its name and what it stands at
  const output = make("output"), slider = named(make("input", { type: "range", min: 0, max: count - 1, value: at }), name);
  const show = () => {
    output.textContent = said(slider.valueAsNumber);
    slider.setAttribute("aria-valuetext", output.textContent);
  };
  const set = (value) => { slider.value = value; show(); };
  slider.addEventListener("input", () => { show(); act(slider.valueAsNumber); });
  show();
  return { box: make("label", { class: "scale" }, make("span", {}, ...tell(name)), slider, output), set };
};
{
  const copy = (value) => JSON.parse(JSON.stringify(value));
  const range = (count) => [...Array(count).keys()];
  const term = (value) => value < 0 ? `(${shown(value)})` : shown(value);

  const prepareConvolver = (host) => {
    const given = JSON.parse(host.dataset.given), k = given.kernels[0].weights[0].length, l = given.kernels[0].weights[0][0].length;
    const rows = given.image[0].length, columns = given.image[0][0].length, many = given.image.length;
    let now; // image, kernels, which filter, stride, padding, which window
    const pixel = (c, row, column) => now.image[c][row]?.[column] ?? 0;
    const weights = () => now.kernels[now.filter];
    const products = (c, top, left) => range(k).map((i) => range(l).map((j) => pixel(c, top + i, left + j) * weights()[c][i][j]));
    const total = (lines) => lines.flat().reduce((a, b) => a + b, 0);
    const map = () => {
      const tops = range(Math.floor((rows + 2 * now.padding - k) / now.stride) + 1);
      const lefts = range(Math.floor((columns + 2 * now.padding - l) / now.stride) + 1);
      return tops.map((top) => lefts.map((left) => range(many).reduce((sum, c) => sum + total(products(c, ...corner(top, left))), 0)));
    };
    const corner = (row, column) => [row * now.stride - now.padding, column * now.stride - now.padding];

    const hands = make("div", { class: "hands" }), walk = make("div", { class: "walk" }), boards = make("div");
    const told = make("div", { class: "told", role: "status" });
    const choices = given.kernels.map((kernel, index) => button(said(kernel.label), () => { now.filter = index; build(); }));
    const stride = stepper(["Stride", "Less: Stride", "More: Stride"], 1, 3, () => now.stride, (value) => { now.stride = value; now.at = 0; build(); });
    const padding = stepper(["Padding", "Less: Padding", "More: Padding"], 0, 2, () => now.padding, (value) => { now.padding = value; now.at = 0; build(); });
    if (choices.length > 1) hands.append(...choices);
    hands.append(stride.box, padding.box, button(tell("Reset"), () => { start(); build(); }));
    const back = button(tell("Back"), () => { now.at--; show(); }), on = button(tell("Next"), () => { now.at++; show(); });
    const slider = named(make("input", { type: "range", min: 1, value: 1 }), "Window");
    const where = make("output");
    slider.addEventListener("input", () => { now.at = slider.valueAsNumber - 1; show(); });
    walk.append(back, on, slider, where);

    const start = () => {
      now = { image: copy(given.image), kernels: given.kernels.map((one) => copy(one.weights)), filter: now?.filter ?? 0,
        stride: given.stride, padding: given.padding, at: 0 };
    };
    let images, kernels, multiplied, result;
    const build = () => { // the tables, of the size that they have now
      const p = now.padding, title = (c) => many > 1 ? said(given.channels[c]) : tell("image");
      images = range(many).map((c) => board(title(c), rows + 2 * p, columns + 2 * p, (row, column) => {
        const [i, j] = [row - p, column - p];
        if (now.image[c][i]?.[j] === undefined) return ["0"];
        return [button("", () => { now.image[c][i][j] = (now.image[c][i][j] + 1) % (given.most + 1); show(); })];
      }));
      kernels = range(many).map((c) => board(tell("filter"), k, l, (i, j) => {
        const entry = named(make("input", { type: "number", step: "any", min: -99, max: 99, value: weights()[c][i][j], required: "" }),
          "Weight, row {row}, column {column}", { row: i + 1, column: j + 1 });
        entry.addEventListener("input", () => {
          entry.setAttribute("aria-invalid", !entry.validity.valid);
          if (entry.validity.valid) { weights()[c][i][j] = entry.valueAsNumber; show(); }
        });
        return [entry];
      }));
      multiplied = range(many).map(() => board(tell("products"), k, l, () => []));
      const made = map();
      result = board(tell("feature map"), made.length, made[0].length, (row, column) =>
        [button("", () => { now.at = row * made[0].length + column; show(); })]);
      result.table.classList.add("map");
      const sign = (text) => make("span", { class: "between", "aria-hidden": "true" }, text);
      for (const { table } of [...kernels, ...multiplied]) table.classList.add("rest");
      const lines = range(many).map((c) => make("div", { class: many > 1 ? "boards" : "boards single" },
        images[c].table, sign("×"), kernels[c].table, sign("="), multiplied[c].table));
      if (many > 1) lines.push(make("div", { class: "boards" }, sign("→"), result.table));
      else lines[0].append(sign("→"), result.table);
      boards.replaceChildren(...lines);
      choices.forEach((choice, index) => choice.setAttribute("aria-pressed", index === now.filter));
      stride.show();
      padding.show();
      show();
    };
    const show = () => { // the numbers in them, and the window that is looked at
      const made = map(), wide = made[0].length, last = made.length * wide - 1, p = now.padding;
      now.at = Math.max(0, Math.min(now.at, last));
      const [row, column] = [Math.floor(now.at / wide), now.at % wide], [top, left] = corner(row, column);
      const largest = Math.max(...made.flat()), best = [];
      if (largest > 0) made.forEach((line, i) => line.forEach((value, j) => { if (Math.abs(value - largest) < 1e-9) best.push([i, j]); }));
      const within = (i, j, [a, b]) => i >= a && i < a + k && j >= b && j < b + l;
      images.forEach(({ cells }, c) => cells.forEach((line, r) => line.forEach((cell, s) => {
        const [i, j] = [r - p, s - p], rim = now.image[c][i]?.[j] === undefined, value = pixel(c, i, j);
        cell.className = [rim ? "rim" : value > 0 ? many === 1 ? "ink" : many === 3 ? `tint-${c}` : "" : "", within(i, j, [top, left]) ? "under" : "",
          many === 1 && best.some((at) => within(i, j, corner(...at))) ? "alike" : ""].filter(Boolean).join(" ");
        const press = one("button", cell);
        if (!press) return;
        press.textContent = shown(value);
        named(press, "Pixel in row {row}, column {column}: {value}", { row: i + 1, column: j + 1, value: shown(value) });
      })));
      const sums = range(many).map((c) => {
        const lines = products(c, top, left);
        lines.forEach((line, i) => line.forEach((value, j) => { multiplied[c].cells[i][j].textContent = shown(value); }));
        return total(lines);
      });
      result.cells.forEach((line, i) => line.forEach((cell, j) => {
        cell.className = [i === row && j === column ? "under" : "", best.some(([a, b]) => a === i && b === j) ? "ink alike" : ""].filter(Boolean).join(" ");
        const press = one("button", cell);
        press.textContent = shown(made[i][j]);
        named(press, "Window {n}: {value}", { n: i * wide + j + 1, value: shown(made[i][j]) });
      }));
      back.disabled = now.at === 0;
      on.disabled = now.at === last;
      slider.max = last + 1;
      slider.value = now.at + 1;
      where.replaceChildren(...tell("{at} of {all}", { at: now.at + 1, all: last + 1 }));
      const place = { top: top + 1 + p, bottom: top + k + p, left: left + 1 + p, right: left + l + p, value: shown(made[row][column]) };
      const sum = many > 1 ? sums.map(term).join(" + ")
        : range(k * l).map((n) => [Math.floor(n / l), n % l]).map(([i, j]) => `${shown(pixel(0, top + i, left + j))}·${term(weights()[0][i][j])}`).join(" + ");
      const lines = [make("p", {}, ...tell("Rows {top}–{bottom}, columns {left}–{right}", place), ": ", `${sum} = ${place.value}`)];
      const most = given.most * weights().flat(2).reduce((a, b) => a + Math.max(0, b), 0);
      if (best.length && best.length <= 6 && many === 1) {
        const at = best.map(([i, j]) => `(${i + 1}, ${j + 1})`).join(", ");
        const text = Math.abs(largest - most) < 1e-9
          ? "{value}, the most that this filter can give, stands at {at} of the map (row, column): its pattern is there, lit in the image."
          : "The largest, {value}, stands at {at} of the map (row, column), lit in the image. At the pattern itself it would be {most}.";
        lines.push(make("p", { class: "alike-said" }, ...tell(text, { value: shown(largest), at, most: shown(most) })));
      }
      told.replaceChildren(...lines);
    };
    start();
    host.replaceChildren(hands, walk, boards, told);
    build();
  };
  preparing.push((exhibit) => { for (const host of all(".convolver", exhibit)) prepareConvolver(host); });
}
{
  // Gradient descent on the mean squared error of Σ out·tanh(weight·x + bias), where a weight or a bias may be "a" or "b".
  const free = ["a", "b"], of = (number, place) => free.includes(number) ? place[free.indexOf(number)] : number;
  const look = ({ units, x, y }, place) => { // the error there, and by how much it rises with a and with b
    const numbers = units.map((unit) => [of(unit.weight, place), of(unit.bias, place)]), slope = [0, 0];
    let error = 0;
    x.forEach((at, n) => {
      const made = numbers.map(([weight, bias]) => Math.tanh(weight * at + bias));
      const miss = units.reduce((sum, unit, i) => sum + unit.out * made[i], 0) - y[n];
      error += miss * miss / x.length;
      units.forEach((unit, i) => {
        const bend = 2 * miss * unit.out * (1 - made[i] * made[i]) / x.length;
        if (free.includes(unit.weight)) slope[free.indexOf(unit.weight)] += bend * at;
        if (free.includes(unit.bias)) slope[free.indexOf(unit.bias)] += bend;
      });
    });
    return { error, slope };
  };
  const descend = (given, size, momentum) => {
    const path = [[...given.start]], errors = [look(given, given.start).error], speed = [0, 0];
    for (let step = 0; step < given.steps; step++) {
      const place = [...path.at(-1)], { slope } = look(given, place);
      for (const i of [0, 1]) place[i] -= size * (speed[i] = momentum * speed[i] + slope[i]);
      path.push(place);
      errors.push(look(given, place).error);
    }
    return { path, errors };
  };

  const prepareDescent = (host) => {
    const given = JSON.parse(host.dataset.given), [left, top, width, height] = given.frame, [least, most] = given.span;
    const at = ([a, b]) => `${(left + (a - least) / (most - least) * width).toFixed(1)} ${(top + (most - b) / (most - least) * height).toFixed(1)}`;
    const first = given.sizes.indexOf(given.size), forces = [...Array(20).keys()].map((n) => n / 20);
    let size, force, upto, walked;
    const told = make("div", { class: "told", role: "status" });
    const show = () => {
      const way = walked.path.slice(0, upto + 1).map(at), set = (name, d) => one(`.${name}`, host).setAttribute("d", d);
      set("halo", `M${way.join("L")}`);
      set("way", `M${way.join("L")}`);
      set("dots", way.map((place) => `M${place}h0`).join(""));
      set("now", `M${way.at(-1)}h0`);
      const limit = given.there * walked.errors[0], last = walked.errors.findLastIndex((error) => !(error < limit));
      const arrives = last + 1 < walked.errors.length ? last + 1 : null;
      const away = walked.path.some((place) => place.some((value) => value < least || value > most));
      const lines = [tell("After {n} steps: a = {a}, b = {b}, error {error}.",
        { n: upto, a: shown(walked.path[upto][0]), b: shown(walked.path[upto][1]), error: shown(walked.errors[upto]) })];
      lines.push(arrives === null
        ? tell("It does not arrive in {steps} steps: its error does not stay below {limit}.", { steps: given.steps, limit: shown(limit) })
        : tell("It has arrived at step {n}: from there its error stays below {limit}.", { n: arrives, limit: shown(limit) }));
      if (away) lines.push(tell("On its way it leaps out of the drawing."));
      told.replaceChildren(...lines.map((line) => make("p", {}, ...line)));
    };
    const walk = () => { walked = descend(given, size, force); show(); };
    const start = () => { size = given.size; force = 0; upto = given.steps; walk(); };
    const sizes = scale("Step size", given.sizes.length, first, (n) => shown(given.sizes[n]), (n) => { size = given.sizes[n]; walk(); });
    const pushes = scale("Momentum", forces.length, 0, (n) => shown(forces[n]), (n) => { force = forces[n]; walk(); });
    const steps = scale("Steps", given.steps + 1, given.steps, (n) => `${n}`, (n) => { upto = n; show(); });
    const reset = button(tell("Reset"), () => { sizes.set(first); pushes.set(0); steps.set(given.steps); start(); });
    host.prepend(make("div", { class: "hands" }, sizes.box, pushes.box, steps.box, reset));
    host.append(told);
    start();
  };
  preparing.push((exhibit) => { for (const host of all(".descent", exhibit)) prepareDescent(host); });
}
{
  const most = 3; // rows and columns of a kernel that can be typed

  // The grey of a picture in the page, rows of numbers; one that hangs elsewhere too is the background of its class.
  const greyOf = async (img) => {
    const behind = getComputedStyle(img).backgroundImage.match(/^url\("(.*)"\)$/), picture = new Image();
    picture.src = behind ? behind[1] : img.src;
    await picture.decode();
    const sheet = make("canvas", { width: picture.naturalWidth, height: picture.naturalHeight }), pen = sheet.getContext("2d");
    pen.drawImage(picture, 0, 0);
    const { data } = pen.getImageData(0, 0, sheet.width, sheet.height);
    return { data: Float64Array.from({ length: data.length / 4 }, (_, n) => data[4 * n]), width: sheet.width, height: sheet.height };
  };
  const filter = ({ data, width, height }, weights, over) => { // only whole windows
    const rows = weights.length, columns = weights[0].length, wide = width - columns + 1, high = height - rows + 1;
    const made = new Float64Array(wide * high);
    weights.forEach((line, i) => line.forEach((weight, j) => {
      if (weight) for (let r = 0; r < high; r++) for (let c = 0; c < wide; c++) made[r * wide + c] += weight * data[(r + i) * width + c + j];
    }));
    return { data: made.map((value) => value / over), width: wide, height: high };
  };

  const prepareFiltering = (host) => {
    const masks = JSON.parse(host.dataset.given), before = one(".before img", host);
    let now, grey; // label, weights, over
    const hands = make("div", { class: "hands" }), told = make("div", { class: "told", role: "status" });
    const sheet = make("canvas"), kernel = make("div"), line = make("div", { class: "boards" });
    const choices = masks.map((mask, index) => button(said(mask.label), () => choose(index)));
    hands.append(...choices);
    const entry = (value, name, values, set, least) => {
      const made = named(make("input", { type: "number", step: "any", min: least, max: 999, value, required: "" }), name, values);
      made.addEventListener("input", () => {
        made.setAttribute("aria-invalid", !made.validity.valid);
        if (!made.validity.valid) return;
        set(made.valueAsNumber);
        for (const choice of choices) choice.setAttribute("aria-pressed", false);
        show();
      });
      return made;
    };
    const choose = (index) => {
      now = JSON.parse(JSON.stringify(masks[index]));
      const { weights, over } = now, typed = weights.length <= most && weights[0].length <= most;
      const { table } = board(tell(typed ? "kernel: type other numbers" : "kernel"), weights.length, weights[0].length, (i, j) => typed
        ? [entry(weights[i][j], "Weight, row {row}, column {column}", { row: i + 1, column: j + 1 }, (value) => { weights[i][j] = value; }, -999)]
        : [(Number.isInteger(weights[i][j]) ? `${weights[i][j]}` : weights[i][j].toFixed(2)).replace("-", "−")]);
      if (!typed) table.classList.add("many");
      const under = typed ? [make("label", { class: "over" }, make("span", {}, ...tell("divided by")), entry(over, "Divided by", {}, (value) => { now.over = value; }, 0.01))]
        : over === 1 ? [] : [make("span", { class: "over" }, ...tell("divided by"), ` ${shown(over)}`)];
      kernel.replaceChildren(table, ...under);
      choices.forEach((choice, at) => choice.setAttribute("aria-pressed", at === index));
      show();
    };
    const show = () => {
      if (!grey) return;
      const { data, width, height } = filter(grey, now.weights, now.over);
      const lowest = data.reduce((a, b) => Math.min(a, b)), highest = data.reduce((a, b) => Math.max(a, b));
      const leaves = lowest < 0 || highest > 255.5, from = leaves ? lowest : 0, span = leaves ? highest - lowest : 255;
      sheet.width = width;
      sheet.height = height;
      const pixels = new ImageData(width, height);
      data.forEach((value, n) => {
        pixels.data.fill(span ? Math.round((value - from) / span * 255) : 0, 4 * n, 4 * n + 3);
        pixels.data[4 * n + 3] = 255;
      });
      sheet.getContext("2d", { willReadFrequently: true }).putImageData(pixels, 0, 0);
      const values = { lowest: shown(lowest), highest: shown(highest), less: lowest < 0 ? `+ ${shown(-lowest)}` : `− ${shown(lowest)}`, range: shown(highest - lowest) };
      const sum = now.weights.flat().reduce((a, b) => a + b, 0) / now.over;
      told.replaceChildren(
        make("p", {}, ...tell("The weights add up to {sum}. What comes out goes from {lowest} to {highest}.", { sum: shown(sum), ...values })),
        make("p", {}, ...(leaves
          ? tell("That leaves the range of grey, so it is drawn as (value {less}) / {range} × 255: minus the lowest, by the range, times 255.", values)
          : tell("That stays in the range of grey, 0 to 255, and is drawn as it is."))));
    };
    const sign = (text) => make("span", { class: "between", "aria-hidden": "true" }, text);
    named(sheet, "The picture after the kernel").setAttribute("role", "img");
    line.append(before, sign("→"), kernel, sign("→"), sheet);
    host.replaceChildren(hands, line, told);
    choose(0);
    greyOf(before).then((found) => { grey = found; show(); });
  };
  preparing.push((exhibit) => { for (const host of all(".filtering", exhibit)) prepareFiltering(host); });
}
{
  const most = 40; // rows of a padded input that are drawn
  const form = (tag, attributes, ...content) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...content);
    return made;
  };
  const prepareDrawn = (calculator) => {
    const names = JSON.parse(calculator.dataset.drawn), entries = all("input", calculator);
    const entry = (role) => entries.find((each) => each.name === names[role]);
    const host = make("div", { class: "padded" }), said = make("p", { class: "said" });
    const draw = () => {
      host.replaceChildren();
      said.replaceChildren();
      if (entries.some((each) => !each.validity.valid)) return;
      const [n, k, s, p, d] = ["input", "kernel", "stride", "padding", "dilation"].map((role) => entry(role).valueAsNumber);
      const whole = n + 2 * p, reach = d * (k - 1) + 1;
      if (reach > whole) return said.replaceChildren(...tell("The kernel reaches over {reach} places, the padded input has {whole}.", { reach, whole }));
      if (whole > most) return said.replaceChildren(...tell("Too large to draw: {whole} places.", { whole }));
      const places = Math.floor((whole - reach) / s) + 1, cell = Math.max(8, Math.min(26, Math.floor(312 / whole))), last = (places - 1) * s;
      const picture = named(form("svg", { viewBox: `-2 -2 ${whole * cell + 4} ${whole * cell + 4}`, width: whole * cell + 4, height: whole * cell + 4, role: "img" }),
        "The padded input, {whole} × {whole}, with the first and the last of {places} × {places} windows", { whole, places });
      for (let r = 0; r < whole; r++) for (let c = 0; c < whole; c++) {
        const rim = r < p || c < p || r >= n + p || c >= n + p;
        picture.append(form("rect", { x: c * cell, y: r * cell, width: cell - 1, height: cell - 1, class: rim ? "rim" : "pixel" }));
      }
      for (let r = 0; r < k; r++) for (let c = 0; c < k; c++)
        picture.append(form("rect", { x: c * d * cell, y: r * d * cell, width: cell - 1, height: cell - 1, class: "weight" }));
      for (let r = 0; r < places; r++) for (let c = 0; c < places; c++)
        picture.append(form("circle", { cx: (c * s + .5) * cell - .5, cy: (r * s + .5) * cell - .5, r: Math.max(1.5, cell / 8), class: "corner" }));
      for (const [at, look] of [[last, "last"], [0, "first"]])
        picture.append(form("rect", { x: at * cell, y: at * cell, width: reach * cell - 1, height: reach * cell - 1, class: look }));
      host.append(picture);
      const left = whole - reach - last;
      said.replaceChildren(...tell("Each dot is the upper left corner of a window: {places} × {places}. The frame is the first window, the dashed one the last.", { places }),
        ...(left ? [" ", ...tell("At the right and below {left} rows are left over.", { left })] : []));
    };
    calculator.append(host, said);
    calculator.addEventListener("input", draw);
    draw();
  };
  preparing.push((exhibit) => { for (const calculator of all(".calculator[data-drawn]", exhibit)) prepareDrawn(calculator); });
}
