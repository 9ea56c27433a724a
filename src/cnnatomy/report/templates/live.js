// A network that answers: what a reader draws, moves or types runs through it here, and the maps of every layer follow.
{
  // The colours of drawing/showing.py: magma for amounts, blue to red for signs; as pixels of an image.
  const coloured = (words, steps) => {
    const places = words.split(" ").map((word) => [0, 2, 4].map((at) => parseInt(word.slice(at, at + 2), 16)));
    return Uint32Array.from({ length: steps }, (_, n) => {
      const at = n / (steps - 1) * (places.length - 1), low = Math.min(Math.floor(at), places.length - 2);
      const [red, green, blue] = places[low].map((value, i) => Math.round(value + (at - low) * (places[low + 1][i] - value)));
      return (255 << 24 | blue << 16 | green << 8 | red) >>> 0;
    });
  };
  const colours = liveTools.colours = {
    signed: coloured("2166ac 4393c3 92c5de d1e5f0 f7f7f7 fddbc7 f4a582 d6604d b2182b", 255),
    amount: coloured("000004 0b0924 20114b 3b0f70 57157e 721f81 8c2981 a8327d c43c75 de4968 f1605d fa7f5e fe9f6d febf84 fddea0 fcfdbf", 256),
  };
  const { perCent } = liveTools, tile = 54, most_maps = 128; // px, about how large a map is shown; maps of a layer that are drawn
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const tiny = (value) => value < 1e-7 ? "< 10⁻⁷" : value.toExponential(0).replace("e-", " · 10⁻").replace(/\d$/, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]);

  // The maps of a layer in one canvas: how large each is, where it lies, and which value is under a pixel.
  const layout = (shape, room, { upward = false, kind = "", most: drawn = Infinity } = {}) => { // most: places along a row that are drawn
    const [all_, high, step] = shape.length === 3 ? shape : shape.length === 2 ? [shape[0], 1, shape[1]] : [shape[0], 1, 1], wide = Math.min(step, drawn), channels = high * step > 1 ? Math.min(all_, most_maps) : all_;
    const flat = high === 1 || wide === 1, single = high === 1 && wide === 1, most = Math.max(1, Math.round(tile / Math.max(high, wide)));
    const [tall, broad] = single ? [12, 12] : wide === 1 ? [5, Math.max(4, Math.min(14, Math.floor(room / channels)))] : high === 1 ? [Math.max(5, Math.min(16, Math.round(90 / channels))), Math.max(2, Math.min(kind === "words" ? 44 : 20, Math.floor(room / wide)))] : [most, most];
    const gap = flat ? 0 : Math.ceil(2 / most), across = high === 1 && wide > 1 ? 1 : Math.max(1, Math.min(channels, Math.floor((room / broad + gap) / (wide + gap)))), down = Math.ceil(channels / across);
    const below = wide === 1 && high > 1 ? 1 : gap; // between lines of columns
    const turned = (row) => upward ? high - 1 - row : row;
    return { channels, high, wide, step, tall, broad, width: across * (wide + gap) - gap, height: down * (high + below) - below,
      cell: (c, row, column) => [Math.floor(c / across) * (high + below) + turned(row), c % across * (wide + gap) + column],
      at: (y, x) => {
        const line = Math.floor(y / (high + below)), place = Math.floor(x / (wide + gap)), c = line * across + place, row = y - line * (high + below), column = x - place * (wide + gap);
        return place < across && c < channels && row < high && column < wide && y >= 0 && x >= 0 ? [c, turned(row), column] : null;
      } };
  };
  const paint = ({ pixels, show }, { channels, high, wide, step, width, cell }, upward, data) => {
    let least = 0, most = 0;
    for (let n = 0; n < channels * high * step; n++) { if (data[n] < least) least = data[n]; if (data[n] > most) most = data[n]; }
    const reach = Math.max(most, -least), table = least < 0 ? colours.signed : colours.amount, [zero, by] = least < 0 ? [127, reach && 127 / reach] : [0, most && 255 / most];
    for (let c = 0; c < channels; c++) {
      const [top, left] = cell(c, upward ? high - 1 : 0, 0);
      for (let row = 0; row < high; row++) {
        let n = (c * high + row) * step, to = (top + (upward ? high - 1 - row : row)) * width + left;
        for (let column = 0; column < wide; column++) pixels[to++] = table[Math.round(zero + data[n++] * by)];
      }
    }
    show();
    return [least, most];
  };

  // Which places of what it is made of a step's places see: [start, size] along each axis. Null where it is not one window of them.
  const windowed = ["convolution", "max_pool", "average_pool"], SINGLE = /relu|elu|silu|mish|sigmoid|tanh|swish|softplus|norm/;
  const before = (step, spans, { shapes, sizes }) => {
    const [from] = step.from, there = shapes(from), given = step.with ?? {};
    if (windowed.includes(step.op)) {
      const { stride, padding, dilation = [1, 1] } = given, size = sizes(step);
      return { from, spans: spans.map(([start, many], axis) => [start * stride[axis] - padding[axis], (many - 1) * stride[axis] + dilation[axis] * (size[axis] - 1) + 1]) };
    }
    if (/^adaptive_/.test(step.op) && step.shape.slice(1).every((size) => size === 1)) return { from, spans: there.slice(1).map((size) => [0, size]) };
    if (step.op === "pad") return { from, spans: spans.map(([start, many], axis) => [start - given.before[axis + 1], many]) };
    if (["embedding", "permute"].includes(step.op) && spans.length === 1) return { from, spans };
    return there.length === step.shape.length && there.every((size, axis) => size === step.shape[axis]) && step.op !== "linear" ? { from, spans } : null;
  };

  // The maps of a layer to look at: a canvas, what is under the pointer, and the way into a window.
  const prepareMaps = ({ name, op, shape }, kind, open, folded, read) => { // read: the words that a place sees, of sentences
    const upward = kind === "sound" && shape.length === 3, [channels, ...sides] = shape, values = { n: channels, size: sides.join(" × ") };
    const under = make("p", { class: "live-said live-under-pointer" }), stage = make("div", { class: "live-maps" }), grams = make("ul", { class: "live-grams" });
    const title = [make("bdi", { translate: "no" }, name), " ", make("span", { class: "quiet" }, ...(sides.every((side) => side === 1) ? tell("{n} values", values) : op === "embedding" ? tell("{n} words, each as {size} numbers", values)
      : sides.length === 2 && sides[1] === 1 ? tell("{n} filters, a column each, low frequencies below", values) : sides.length === 1 && sides[0] > 1 ? tell("{n} filters, a row each", values) : tell("{n} maps of {size}", values)), ...(sides.some((side) => side > 1) && channels > most_maps ? [", ", ...tell("the first {n} are drawn", { n: most_maps })] : []))];
    const inner = [stage, under, ...(kind === "words" && sides.length === 1 && sides[0] > 1 && op !== "embedding" ? [grams] : [])];
    const box = folded ? make("details", { class: "fold live-layer" }, make("summary", {}, ...title), ...inner) : make("figure", { class: "live-layer" }, make("p", { class: "group" }, ...title), ...inner);
    let plan, canvas, over, at = [0, 0, 0], data, upto = Infinity;
    const place = () => sides.length === 2 ? at.slice(1) : sides.length ? [at[2]] : [];
    const value = ([c, row, column]) => data[(c * plan.high + row) * plan.step + column];
    const tellPlace = () => {
      const [c, row, column] = at, values = { n: c + 1, row: row + 1, column: column + 1, value: shown(value(at)) };
      if (read && sides.length === 1 && sides[0] > 1 && op !== "embedding") {
        under.replaceChildren(...tell("Filter {n}: {value}", values), " ", make("bdi", { translate: "no" }, read(column)));
        return;
      }
      under.replaceChildren(...tell(!sides.length ? "Unit {n}: {value}" : plan.high === 1 ? "Filter {n}, place {column}: {value}" : plan.wide === 1 ? "Filter {n}, place {row}: {value}"
        : "Filter {n}, row {row}, column {column}: {value}", values));
    };
    const tellAll = ([least, most]) => under.replaceChildren(...tell("From {least} to {most}.", { least: shown(least), most: shown(most) }));
    const point = () => {
      const [top, left] = plan.cell(...at);
      over.cursor({ top, left, high: 1, wide: 1 });
    };
    const lay = () => {
      const room = Math.max(200, stage.clientWidth || 560);
      plan = layout(shape, room, { upward, kind, most: upto });
      at = at.map((each, axis) => Math.min(each, [channels, plan.high, plan.wide][axis] - 1));
      canvas = liveTools.sheet(plan.width, plan.height, { tabindex: 0, role: "application" });
      canvas.canvas.style.setProperty("width", `${plan.width * plan.broad}px`);
      canvas.canvas.style.setProperty("aspect-ratio", `${plan.width * plan.broad} / ${plan.height * plan.tall}`);
      named(canvas.canvas, "Maps of {name}. Arrow keys move from place to place, Page Up and Page Down from map to map, Enter opens the window.", { name });
      over = liveTools.framed(canvas.canvas, plan.height, plan.width);
      stage.replaceChildren(over.box);
      point();
      const found = (event) => plan.at(...liveTools.within(canvas.canvas, event, plan.height, plan.width).map(Math.floor));
      canvas.canvas.addEventListener("pointermove", (event) => { const here = found(event); if (here && data) { at = here; point(); tellPlace(); } });
      canvas.canvas.addEventListener("pointerleave", () => { if (data) tellAll(ends); });
      canvas.canvas.addEventListener("click", (event) => { const here = found(event); if (here && op !== "embedding") { at = here; point(); open(name, at[0], place(), box); } });
      canvas.canvas.addEventListener("keydown", (event) => {
        const [c, row, column] = at, [down, right] = arrowOf(event) ?? [0, 0], on = { PageUp: -1, PageDown: 1 }[event.key] ?? 0, turned = upward ? -down : down;
        if (event.key === "Enter" && op !== "embedding") open(name, c, place(), box, true);
        else if (!on && !down && !right) return;
        taken(event);
        if (event.key === "Enter") return;
        const next = !sides.length ? [c + on + turned + right, 0, 0] : [c + on, row + turned, column + right], limits = [plan.channels, plan.high, plan.wide];
        if (next.every((each, axis) => each >= 0 && each < limits[axis])) at = next;
        point();
        tellPlace();
      });
    };
    let ends = [0, 0], near = false;
    new IntersectionObserver((entries) => { near = entries.at(-1).isIntersecting; if (near && data) draw(data, upto); }, { rootMargin: "120px" }).observe(box);
    addEventListener("beforeprint", () => { near = true; if (data) draw(data, upto); });
    const draw = (values, most = Infinity) => { // if it is on the screen
      const before = upto;
      upto = Math.max(1, Math.min(shape.length === 2 ? shape[1] : Infinity, most));
      data = values;
      if (!canvas || upto !== before) lay();
      if (!near) return;
      ends = paint(canvas, plan, upward, data);
      if (under.childNodes.length && canvas.canvas.matches(":hover, :focus-visible")) tellPlace(); else tellAll(ends);
    };
    under.setAttribute("aria-live", "off");
    return { box, grams, draw, relay: () => { if (data) { lay(); draw(data, upto); } } };
  };

  // Probabilities as bars with their numbers.
  const prepareBars = (classes, most = 12) => {
    const lines = classes.map((name) => ({ bar: make("span", { class: "live-bar" }), number: make("span", { class: "value" }), name: make("span", { class: "live-class" }, ...said(name)) }));
    const items = lines.map(({ bar, number, name }) => make("li", {}, name, make("span", { class: "live-track" }, bar), number));
    const list = named(make("ol", { class: "live-bars" }, ...items), "Probabilities");
    const draw = (shares) => {
      const order = [...shares.keys()].sort((a, b) => shares[b] - shares[a]);
      lines.forEach(({ bar, number }, n) => {
        bar.style.setProperty("width", `${100 * shares[n]}%`);
        number.textContent = perCent(shares[n]);
        items[n].classList.toggle("live-first", n === order[0]);
      });
      if (classes.length > most) list.replaceChildren(...order.slice(0, most).map((n) => items[n]));
    };
    return { list, draw };
  };

  // One value of a map, worked out: its window in the layer before, products, sum, bias, what follows; and where that is in the input.
  const prepareWalk = (network, { shapes, source, sizes, results, words, frame, kind }) => {
    const back = (step, spans) => before(step, spans, { shapes, sizes }), single = (position) => position.map((at) => [at, 1]);
    const box = make("div", { class: "live-walk", role: "group", tabindex: -1, hidden: "" });
    named(box, "One value, worked out");
    let way = [];
    const valueAt = (name, channel, position) => {
      const [, ...sides] = shapes(name);
      return results().maps[name].data[position.reduce((at, each, axis) => at * sides[axis] + each, channel)];
    };
    const inputSpans = (name, spans) => { // what of the input a place sees, or null where it is all of it
      while (name !== "input") {
        const found = spans && back(source(name), spans);
        if (!found) return null;
        [name, spans] = [found.from, found.spans];
      }
      return spans;
    };
    const framed = (name, position) => {
      const all_ = shapes("input").slice(kind === "words" ? 0 : 1), spans = position.length ? inputSpans(name, single(position)) : null;
      if (!spans) return null;
      const cut = spans.map(([start, size], axis) => { const from = Math.max(0, start); return [from, Math.max(0, Math.min(start + size, all_[axis] ?? Infinity) - from)]; });
      const [down, right] = cut.length === 2 ? cut : [[0, 1], cut[0]];
      return { top: down[0], high: down[1], left: right[0], wide: right[1] };
    };
    const picture = (values, high, wide, upward) => { // of a window too large for numbers
      const made = liveTools.sheet(wide, high, { role: "img" });
      paint(made, layout([1, high, wide], wide * 99, { upward }), upward, values);
      made.canvas.style.setProperty("width", `${Math.max(24, wide * Math.max(2, Math.min(12, Math.floor(176 / Math.max(high, wide)))))}px`);
      return made.canvas;
    };
    const board_ = (title, values, high, wide, press) => {
      if (high * wide > 49 || wide > 9) return make("figure", { class: "live-small" }, make("figcaption", {}, ...title), named(picture(values, high, wide, kind === "sound"), "{n} values", { n: high * wide }));
      const most = Math.max(...values.map(Math.abs)) || 1;
      const { table, cells } = board(title, high, wide, (row, column) => [press ? press(row, column, short(values[row * wide + column])) : short(values[row * wide + column])]);
      cells.forEach((line, row) => line.forEach((cell, column) => {
        const value = values[row * wide + column];
        cell.style.setProperty("--share", `${(45 * Math.abs(value) / most).toFixed(0)}%`);
        if (value) cell.className = value > 0 ? "live-plus" : "live-minus";
      }));
      return table;
    };
    const short = (value) => `${Number(value.toFixed(Math.abs(value) < .0995 ? 3 : Math.abs(value) < 9.995 ? 2 : 1))}`.replace("-", "−").replace(/^−0$/, "0");
    const sign = (text) => make("span", { class: "between", "aria-hidden": "true" }, text);

    const convolution = (name, channel, position) => {
      const { from, channels: [base], start, size, dilation, values, kernel, products_sum: added, bias, out } = network.window(name, channel, position);
      const high = size.length === 2 ? size[0] : 1, wide = size.at(-1), area = high * wide, many = values.length / area;
      const parts = Array.from({ length: many }, (_, c) => {
        const [seen, weights] = [values, kernel].map((all_) => [...all_.subarray(c * area, (c + 1) * area)]), products = seen.map((value, n) => value * weights[n]);
        return { c, seen, weights, products, sum: sum(products) };
      });
      const lines = [], input = from === "input";
      if (kind === "words" && size.length === 1) { // a word a place: its vector times the filter there
        const read = words(), shares = [...Array(wide).keys()].map((at) => sum(parts.map(({ products }) => products[at])));
        const [[first]] = inputSpans(name, single(position)) ?? [[0, 1]];
        lines.push(make("p", { class: "tokens" }, ...shares.map((share, at) => make("span", { class: "live-term" }, make("bdi", { translate: "no" }, read[first + at] ?? "∅"), make("small", {}, short(share))))));
        lines.push(make("p", { class: "live-said" }, ...tell("Below each word: its vector times the filter's numbers at its place, added up. ∅ is padding.")));
      } else {
        const order = [...parts].sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum)), shown_ = order.slice(0, many > 1 ? 3 : 1), rest = order.slice(shown_.length);
        for (const { c, seen, weights, products, sum: part } of shown_) {
          const press = input ? null : (row, column, text) => {
            const there = (size.length === 2 ? [row, column] : [column]).map((at, axis) => start[axis] + at * dilation[axis]);
            const inside = there.every((at, axis) => at >= 0 && at < shapes(from)[axis + 1]);
            return inside ? named(button(text, () => go(from, base + c, there)), "{value}: how it comes about", { value: text }) : text;
          };
          lines.push(make("div", { class: "boards" }, board_(many > 1 ? tell("{name}, map {n}", { name: from, n: base + c + 1 }) : tell("window"), seen, high, wide, press), sign("×"),
            board_(tell("filter"), weights, high, wide), sign("="), board_(tell("products"), products, high, wide), make("span", { class: "live-part" }, `Σ ${short(part)}`)));
        }
        if (rest.length) lines.push(make("p", { class: "live-said" }, ...tell("The other {n} maps add {value}.", { n: rest.length, value: short(sum(rest.map((part) => part.sum))) })));
      }
      lines.push(make("p", { class: "live-sum" }, ...tell("All products added: {sum}. With the bias {bias}: {out}.", { sum: short(added), bias: short(bias), out: short(out) })));
      return lines;
    };
    const pooling = (step, channel, position) => {
      const { spans, from } = back(step, single(position)), [high, wide] = spans.length === 2 ? spans.map(([, size]) => size) : [1, spans[0][1]];
      const there = (row, column) => (spans.length === 2 ? [row, column] : [column]).map((at, axis) => spans[axis][0] + at);
      const inside = (place) => place.every((at, axis) => at >= 0 && at < shapes(from)[axis + 1]);
      const values = Array.from({ length: high * wide }, (_, n) => { const place = there(Math.floor(n / wide), n % wide); return inside(place) ? valueAt(from, channel, place) : 0; });
      const press = (row, column, text) => inside(there(row, column)) ? named(button(text, () => go(from, channel, there(row, column))), "{value}: how it comes about", { value: text }) : text;
      const out = valueAt(step.name, channel, position), largest = /max/.test(step.op);
      return [make("div", { class: "boards" }, board_(tell("{name}, map {n}", { name: from, n: channel + 1 }), values, high, wide, press), sign("→"), make("span", { class: "live-part" }, short(out))),
        make("p", { class: "live-sum" }, ...tell(largest ? "The largest of the window goes on: {out}." : "The mean of the window goes on: {out}.", { out: short(out) }))];
    };

    const heard = (name, many) => { // places of a map over a sentence that see one of so many words
      const [, ...sides] = shapes(name);
      if (name !== "embedding" && (sides.length !== 1 || sides[0] < 2)) return Infinity;
      let at = sides[0] - 1;
      while (at > 0 && (inputSpans(name, [[at, 1]])?.[0][0] ?? 0) >= many) at--;
      return at + 1;
    };
    const read = (name, given, place) => {
      const [[start, size]] = inputSpans(name, [[place, 1]]) ?? [[0, 0]];
      return given.slice(Math.max(0, start), Math.max(0, start + size)).join(" ");
    };
    // Of a map over a sentence the filters that are strongest, and the words that they saw there.
    const strongest = (name, given, below) => {
      const [filters, places] = shapes(name), { data } = results().maps[name], texts = Array.from({ length: places }, (_, at) => read(name, given, at)), found = [];
      for (let filter = 0; filter < filters; filter++) {
        let best = -1;
        for (let at = 0; at < places; at++) if (texts[at] && (best < 0 || data[filter * places + at] > data[filter * places + best])) best = at;
        if (best >= 0) found.push({ filter, best, value: data[filter * places + best] });
      }
      return found.sort((a, b) => b.value - a.value).slice(0, 6).filter(({ value }) => value > 0).map(({ filter, best, value }) => {
        const press = button([make("bdi", { translate: "no" }, texts[best])], () => open(name, filter, [best], below, true));
        return make("li", {}, ...tell("Filter {n}: {value}", { n: filter + 1, value: short(value) }), " ", press);
      });
    };
    const show = (focus) => {
      const [name, channel, position] = way.at(-1), chain = [name], lines = [];
      let step = source(name);
      while (!windowed.includes(step.op) && step.op !== "linear" && step.from[0] !== "input" && back(step, single(position))?.spans.every(([at, size], axis) => at === position[axis] && size === 1)) {
        step = source(step.from[0]);
        chain.unshift(step.name);
      }
      if (step.op === "convolution") lines.push(...convolution(step.name, channel, position));
      else if (/pool$/.test(step.op) && back(step, single(position))) lines.push(...pooling(step, channel, position));
      else lines.push(make("p", { class: "live-sum" }, ...tell("It takes in all of {from}: there is no window to show.", { from: step.from[0] })));
      if (chain.length > 1) lines.push(make("p", { class: "live-sum" }, ...chain.flatMap((each, n) => [n ? " → " : "", make("bdi", { translate: "no" }, each), ` ${short(valueAt(each, channel, position))}`])));
      const title = make("p", { class: "group" }, make("bdi", { translate: "no" }, name), " ",
        make("span", {}, ...tell(position.length > 1 ? "filter {n}, row {row}, column {column}" : position.length ? "filter {n}, place {row}" : "unit {n}", { n: channel + 1, row: (position[0] ?? 0) + 1, column: (position[1] ?? 0) + 1 })));
      const again = button(tell("Back"), () => { way.pop(); show(true); }), close = button(tell("Close"), () => leave());
      again.disabled = way.length < 2;
      const hands = make("div", { class: "hands" }, again, close);
      const place = framed(name, position);
      frame(place);
      if (place) lines.push(make("p", { class: "live-said" }, ...tell("What it sees of the input is framed there.")));
      box.replaceChildren(make("div", { class: "live-head" }, title, hands), ...lines);
      box.hidden = false;
      if (focus) box.focus({ preventScroll: true });
    };
    const go = (...place) => { way.push(place); show(true); };
    const leave = () => { box.hidden = true; way = []; frame(null); one("canvas", box.parentElement)?.focus({ preventScroll: true }); };
    box.addEventListener("keydown", (event) => { if (event.key === "Escape") leave(); });
    const open = (name, channel, position, below, focus) => {
      below.append(box);
      way = [[name, channel, position]];
      show(focus);
      box.scrollIntoView({ block: "nearest" });
    };
    const passes = (next, name) => !!next && source(next).from[0] === name && !windowed.includes(source(next).op) && (shapes(name).length === 1 ? SINGLE.test(source(next).op)
      : back(source(next), shapes(name).slice(1).map(() => [7, 1]))?.spans.every(([start, size]) => start === 7 && size === 1));
    return { box, open, read, strongest, passes, heard, spans: (name, position) => inputSpans(name, single(position)),
      again: () => { if (!box.hidden && !box.contains(document.activeElement)) show(); else if (!box.hidden) { const held = all("button", box).indexOf(document.activeElement); show(); all("button", box)[held]?.focus(); } } };
  };

  const begin = async (host) => {
    const { block, network, samples } = await CnnatomyLive.open(host), { input, classes } = block, { n, same, off } = await CnnatomyLive.check(network, samples);
    if (same < n) throw new Error("It does not answer here as it did in torch.");
    const source = (name) => block.program.find((step) => step.name === name), shapes = (name) => name === "input" ? input.shape : source(name).shape;
    const sizes = (step) => step.with.size ?? block.tensors[step.weights[0]].shape.slice(2);
    let result = null, asked = false;
    let fresh = false; // as the sample is
    const ask = () => { fresh = false; if (!asked) { asked = true; requestAnimationFrame(() => { asked = false; if (ready) step(); }); } };
    const answer = (values) => { result = network.run(values); return CnnatomyLive.softmax(result.logits); };
    const hand = liveHands[input.kind](block, () => ask(), answer, () => { chosen = -Date.now(); press(); fresh = true; }); // of one's own: another game each time
    let ready = false;
    const checked = make("p", { class: "live-said live-check" }, ...tell("Runs here as in torch: {same} of {n} samples. Their logits differ by {off} of their range at most.", { same, n, off: tiny(off) }));

    const bars = prepareBars(classes), says = make("p", { class: "live-answer" }), heard = make("p", { class: "live-unseen", role: "status" });
    const walk = prepareWalk(network, { shapes, source, sizes, kind: input.kind, results: () => result, words: () => hand.words?.() ?? [], frame: hand.frame });
    const seen = liveTools.seen(block, network, shapes, walk.spans, hand), game = liveTools.game(classes, hand);
    const maps = network.shown.map((name, n) => [name, prepareMaps(source(name), input.kind, walk.open, walk.passes(network.shown[n + 1], name) || source(name).op === "embedding", hand.words && ((place) => walk.read(name, hand.words(), place)))]);
    let look = (block.looks ?? []).length - 1, origin = hand.input(); // of training; the sample as it came
    const learned = liveTools.learned(block, network, (n) => { // hand.look redraws and asks for an answer
      const same = fresh;
      look = n;
      game.begin(key(), best(answer(origin)));
      hand.look();
      fresh = same;
    });
    const key = () => `${chosen} ${look}`, best = (shares) => shares.indexOf(Math.max(...shares));
    const speak = liveTools.wait((words) => heard.replaceChildren(...words), 700);
    const step = () => {
      const shares = answer(hand.input()), [first, second] = [...shares.keys()].sort((a, b) => shares[b] - shares[a]);
      const label = classes[samples[chosen]?.label];
      says.replaceChildren(make("strong", {}, ...said(classes[first])), ` ${perCent(shares[first])}`, ...(fresh && label !== undefined ? [make("span", { class: "live-said" }, ...tell("the sample is: "), ...said(label))] : []));
      bars.draw(shares);
      seen.draw(first);
      if (fresh) { origin = hand.input(); game.begin(key(), first); } else game.update(first);
      for (const [name, { draw, grams, box }] of maps) {
        draw(result.maps[name].data, hand.words ? walk.heard(name, hand.words().length) : Infinity);
        if (hand.words && grams.isConnected && box.open !== false) grams.replaceChildren(...walk.strongest(name, hand.words(), box));
      }
      walk.again();
      speak([...said(classes[first]), ` ${perCent(shares[first])}. `, ...said(classes[second]), ` ${perCent(shares[second])}.`]);
    };
    let chosen = null;
    const press = () => picks.forEach((pick, at) => pick.setAttribute("aria-pressed", at === chosen));
    const choose = (n) => {
      chosen = n;
      picks.forEach((pick, at) => { pick.tabIndex = at === n ? 0 : -1; });
      press();
      hand.choose(samples[n]);
      fresh = true;
    };
    const picks = hand.thumb ? samples.map((sample, n) => namedBy(button([hand.thumb(sample)], () => choose(n), { class: "live-pick" }), "Start from a sample: {label}", (tag) => ({ label: liveTools.spokenOf(classes[sample.label] ?? sample.id, tag) }))) : [];
    const list = hand.thumb ? named(make("div", { class: "live-picks", role: "group" }, ...picks), "Start from a sample") : make("label", { class: "live-choice" }, make("span", {}, ...tell("Start from a sample")), chooser(samples.map(hand.text), choose));
    list.addEventListener("keydown", (event) => { // Tab needs one step for all of them
      const [down, right] = arrowOf(event) ?? [], next = picks[picks.indexOf(event.target) + down + right];
      if (!next) return;
      taken(event);
      for (const pick of picks) pick.tabIndex = pick === next ? 0 : -1;
      next.focus();
    });
    host.replaceChildren(list, make("div", { class: "live-hall" },
      make("div", { class: "live-near" }, make("p", { class: "live-said" }, ...tell(hand.hint)), hand.box, says, bars.list, ...learned, game.box, hand.tools, heard), make("div", { class: "live-far" }, checked, ...(seen.box ? [seen.box] : []), make("p", { class: "live-said" }, ...tell("Press a place of a map to see how its value comes about.")), ...maps.map(([, { box }]) => box))));
    ready = true;
    choose(Math.max(0, samples.findIndex(({ label, logits }) => logits[label] === Math.max(...logits))));
    let wide = host.clientWidth;
    new ResizeObserver(() => { if (host.clientWidth && host.clientWidth !== wide) { wide = host.clientWidth; for (const [, { relay }] of maps) relay(); } }).observe(host);
    one(".theme")?.addEventListener("click", () => hand.look());
    host.dataset.running = "";
  };
  const namedBy = (element, text, values) => { // named, with values that differ by language
    named(element, text, values("en"));
    for (const tag of Object.values(tags)) element.setAttribute(`data-${tag}-aria-label`, filled(inTag(tag, text), values(tag)));
    speak(element);
    return element;
  };
  const chooser = (texts, choose) => {
    const select = make("select", {}, ...texts.map((text, n) => make("option", { value: n }, text.length > 70 ? `${text.slice(0, 68)}…` : text)));
    select.addEventListener("change", () => choose(Number(select.value)));
    return select;
  };
  const prepareLive = (host) => { // not before it is on the screen: the page's first content comes first
    const near = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      near.disconnect();
      begin(host).catch((error) => host.prepend(make("p", { class: "live-broken", role: "alert" }, ...tell("This network does not run here."), " ", ...tell(error.message))));
    }, { rootMargin: "100px" });
    near.observe(host);
  };
  preparing.push((exhibit) => { for (const host of all(".live", exhibit)) prepareLive(host); });
}
