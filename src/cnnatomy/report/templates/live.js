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
  const tile = 54; // px, about how large a map is shown
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const softmax = (logits) => {
    const most = Math.max(...logits), powers = Array.from(logits, (logit) => Math.exp(logit - most)), all_ = sum(powers);
    return powers.map((power) => power / all_);
  };
  const perCent = (share) => `${(100 * share).toFixed(1)}\u202f%`;

  // The maps of a layer in one canvas: how large each is, where it lies, and which value is under a pixel.
  const layout = (shape, room, upward) => {
    const [channels, high, wide] = shape.length === 3 ? shape : shape.length === 2 ? [shape[0], 1, shape[1]] : [shape[0], 1, 1];
    const flat = high === 1 || wide === 1, zoom = high === 1 && wide === 1 ? 12 : wide === 1 ? 6 : high === 1 ? Math.max(2, Math.min(6, Math.floor(room / wide)))
      : Math.max(1, Math.round(tile / Math.max(high, wide)));
    const gap = flat ? 0 : Math.ceil(2 / zoom), across = Math.max(1, Math.min(channels, Math.floor((room / zoom + gap) / (wide + gap)))), down = Math.ceil(channels / across);
    const below = wide === 1 && high > 1 ? 1 : gap; // between lines of columns
    const turned = (row) => upward ? high - 1 - row : row;
    return { channels, high, wide, zoom, width: across * (wide + gap) - gap, height: down * (high + below) - below,
      cell: (c, row, column) => [Math.floor(c / across) * (high + below) + turned(row), c % across * (wide + gap) + column],
      at: (y, x) => {
        const line = Math.floor(y / (high + below)), place = Math.floor(x / (wide + gap)), c = line * across + place, row = y - line * (high + below), column = x - place * (wide + gap);
        return place < across && c < channels && row < high && column < wide && y >= 0 && x >= 0 ? [c, turned(row), column] : null;
      } };
  };
  const paint = ({ pixels, show }, { channels, high, wide, width, cell }, upward, data) => {
    let least = 0, most = 0;
    for (let n = 0; n < data.length; n++) { if (data[n] < least) least = data[n]; if (data[n] > most) most = data[n]; }
    const reach = Math.max(most, -least), table = least < 0 ? colours.signed : colours.amount, [zero, by] = least < 0 ? [127, reach && 127 / reach] : [0, most && 255 / most];
    for (let c = 0, n = 0; c < channels; c++) {
      const [top, left] = cell(c, upward ? high - 1 : 0, 0);
      for (let row = 0; row < high; row++) {
        let to = (top + (upward ? high - 1 - row : row)) * width + left;
        for (let column = 0; column < wide; column++) pixels[to++] = table[Math.round(zero + data[n++] * by)];
      }
    }
    show();
    return [least, most];
  };

  // Which places of what it is made of a step's places see: [start, size] along each axis. Null where it is not one window of them.
  const pools = ["max_pool", "average_pool"], windowed = ["convolution", ...pools];
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
  const prepareMaps = (network, name, kind, open) => {
    const shape = network.steps.find((step) => step.name === name).shape, upward = kind === "sound" && shape.length === 3;
    const [channels, ...sides] = shape, under = make("p", { class: "live-said live-under-pointer" }), stage = make("div", { class: "live-maps" });
    const title = make("p", { class: "group" }, make("bdi", { translate: "no" }, name), " ", make("span", { class: "quiet" },
      ...(sides.length ? tell("{n} maps of {size}", { n: channels, size: sides.join(" × ") }) : tell("{n} values", { n: channels }))));
    const box = make("figure", { class: "live-layer" }, title, stage, under);
    let plan, canvas, at = [0, 0, 0], data;
    const place = () => sides.length === 2 ? at.slice(1) : sides.length ? [at[2]] : [];
    const value = ([c, row, column]) => data[(c * plan.high + row) * plan.wide + column];
    const tellPlace = () => {
      const [c, row, column] = at, values = { n: c + 1, row: row + 1, column: column + 1, value: shown(value(at)) };
      under.replaceChildren(...tell(!sides.length ? "Unit {n}: {value}" : plan.high === 1 ? "Filter {n}, place {column}: {value}" : plan.wide === 1 ? "Filter {n}, place {row}: {value}"
        : "Filter {n}, row {row}, column {column}: {value}", values));
    };
    const tellAll = ([least, most]) => under.replaceChildren(...tell("From {least} to {most}.", { least: shown(least), most: shown(most) }));
    const point = () => {
      const [row, column] = plan.cell(...at), mark = one(".live-cursor", stage);
      for (const [side, share] of [["top", row / plan.height], ["left", column / plan.width], ["height", 1 / plan.height], ["width", 1 / plan.width]]) mark.style.setProperty(side, `${100 * share}%`);
    };
    const lay = () => {
      const room = Math.max(200, stage.clientWidth || 560);
      plan = layout(shape, room, upward);
      canvas = liveTools.sheet(plan.width, plan.height, { tabindex: 0, role: "application" });
      canvas.canvas.style.setProperty("width", `${plan.width * plan.zoom}px`);
      named(canvas.canvas, "Maps of {name}. Arrow keys move from place to place, Page Up and Page Down from map to map, Enter opens the window.", { name });
      const inner = make("div", { class: "live-stage" }, canvas.canvas, make("span", { class: "live-cursor" }));
      stage.replaceChildren(inner);
      const found = (event) => {
        const { left, top, width, height } = canvas.canvas.getBoundingClientRect();
        return plan.at(Math.floor((event.clientY - top) / height * plan.height), Math.floor((event.clientX - left) / width * plan.width));
      };
      canvas.canvas.addEventListener("pointermove", (event) => { const here = found(event); if (here && data) { at = here; point(); tellPlace(); } });
      canvas.canvas.addEventListener("pointerleave", () => { if (data) tellAll(ends); });
      canvas.canvas.addEventListener("click", (event) => { const here = found(event); if (here) { at = here; point(); open(name, at[0], place(), box); } });
      canvas.canvas.addEventListener("keydown", (event) => {
        const [c, row, column] = at, by = { ArrowLeft: [0, 0, -1], ArrowRight: [0, 0, 1], ArrowUp: [0, upward ? 1 : -1, 0], ArrowDown: [0, upward ? -1 : 1, 0], PageUp: [-1, 0, 0], PageDown: [1, 0, 0] }[event.key];
        if (event.key === "Enter") open(name, c, place(), box, true);
        else if (!by) return;
        event.preventDefault();
        event.stopPropagation();
        if (!by) return;
        const next = !sides.length ? [c + by[0] + by[1] + by[2], 0, 0] : [c + by[0], row + by[1], column + by[2]], limits = [channels, plan.high, plan.wide];
        if (next.every((each, axis) => each >= 0 && each < limits[axis])) at = next;
        point();
        tellPlace();
      });
    };
    let ends = [0, 0];
    const draw = (values) => {
      data = values;
      if (!canvas) lay();
      ends = paint(canvas, plan, upward, data);
      if (!under.childNodes.length) tellAll(ends);
      else if (canvas.canvas.matches(":hover, :focus-visible")) tellPlace(); else tellAll(ends);
    };
    under.setAttribute("aria-live", "off");
    return { box, draw, relay: () => { lay(); if (data) draw(data); } };
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
    const box = make("section", { class: "live-walk", tabindex: -1, hidden: "" });
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
      paint(made, layout([1, high, wide], 0, upward), upward, values);
      made.canvas.style.setProperty("width", `${Math.max(24, wide * Math.max(2, Math.min(12, Math.floor(120 / Math.max(high, wide)))))}px`);
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
    const short = (value) => `${Number(value.toFixed(Math.abs(value) < 9.995 ? 2 : 1))}`.replace("-", "−").replace(/^−0$/, "0");
    const sign = (text) => make("span", { class: "between", "aria-hidden": "true" }, text);

    const convolution = (name, channel, position) => {
      const { from, start, size, values, kernel, sum: added, bias, out } = network.window(name, channel, position);
      const many = values.length, high = size.length === 2 ? size[0] : 1, wide = size.at(-1);
      const parts = values.map((each, c) => ({ c, products: each.map((value, n) => value * kernel[c][n]) })).map((part) => ({ ...part, sum: sum(part.products) }));
      const lines = [], input = from === "input";
      if (kind === "words" && size.length === 1) { // a word a place: its vector times the filter there
        const read = words(), shares = [...Array(wide).keys()].map((at) => sum(parts.map(({ products }) => products[at])));
        const [[first]] = inputSpans(name, single(position)) ?? [[0, 1]];
        lines.push(make("p", { class: "tokens" }, ...shares.map((share, at) => make("span", { class: "live-term" }, make("bdi", { translate: "no" }, read[first + at] ?? "∅"), make("small", {}, short(share))))));
        lines.push(make("p", { class: "live-said" }, ...tell("Below each word: its vector times the filter's numbers at its place, added up. ∅ is padding.")));
      } else {
        const order = [...parts].sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum)), shown_ = order.slice(0, many > 1 ? 3 : 1), rest = order.slice(shown_.length);
        for (const { c, products, sum: part } of shown_) {
          const press = input ? null : (row, column, text) => {
            const there = (size.length === 2 ? [row, column] : [column]).map((at, axis) => start[axis] + at * (source(name).with.dilation[axis] ?? 1));
            const inside = there.every((at, axis) => at >= 0 && at < shapes(from)[axis + 1]);
            return inside ? named(button(text, () => go(from, c, there)), "{value}: how it comes about", { value: text }) : text;
          };
          lines.push(make("div", { class: "boards" }, board_(many > 1 ? tell("{name}, map {n}", { name: from, n: c + 1 }) : tell("window"), values[c], high, wide, press), sign("×"),
            board_(tell("filter"), kernel[c], high, wide), sign("="), board_(tell("products"), products, high, wide), make("span", { class: "live-part" }, `Σ ${short(part)}`)));
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
    return { box, open: (name, channel, position, below, focus) => { below.append(box); way = [[name, channel, position]]; show(focus); box.scrollIntoView({ block: "nearest" }); },
      again: () => { if (!box.hidden && !box.contains(document.activeElement)) show(); else if (!box.hidden) { const held = all("button", box).indexOf(document.activeElement); show(); all("button", box)[held]?.focus(); } } };
  };

  const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
  const halves = (buffer) => Float32Array.from(new Uint16Array(buffer), (bits) => { // 16-bit floats
    const power = bits >> 10 & 31, part = bits & 1023, sign = bits >> 15 ? -1 : 1;
    return sign * (power === 0 ? part * 2 ** -24 : power === 31 ? part ? NaN : Infinity : (1 + part / 1024) * 2 ** (power - 15));
  });
  const samplesOf = ({ input, samples, stored }, buffer) => { // pictures from 0 to 1, all else as it was stored
    const read = { uint8: () => Float32Array.from(new Uint8Array(buffer)), int32: () => new Int32Array(buffer), float16: () => halves(buffer), float32: () => new Float32Array(buffer) }[stored]();
    const each = read.length / samples.length, over = input.over ?? 1;
    return samples.map((sample, n) => {
      const raw = read.slice(n * each, (n + 1) * each);
      return { ...sample, raw: over === 1 ? raw : raw.map((value) => value / over), text: input.kind === "words" ? [...raw].filter(Boolean).map((token) => token === 1 ? "___" : input.vocabulary[token]).join(input.way === "characters" ? "" : " ") : "" };
    });
  };

  // Every sample once more, here: as many as come out as torch had them, and how far the logits are away, of their spread.
  const check = (network, hand, samples, most) => {
    let alike = 0, furthest = 0;
    for (const sample of samples) {
      const { logits } = network.run(hand.inputOf(sample)), there = sample.logits, spread = Math.max(...there) - Math.min(...there) || 1;
      const away = Math.max(...there.map((value, k) => Math.abs(value - logits[k]))) / spread;
      if (away <= most && logits.indexOf(Math.max(...logits)) === there.indexOf(Math.max(...there))) alike++;
      if (!(away <= furthest)) furthest = away;
    }
    return { alike, furthest };
  };

  const begin = (host) => {
    const block = JSON.parse(host.dataset.given), { input, classes } = block, network = CnnatomyLive.read(block, bytesOf(host.dataset.weights));
    const samples = samplesOf(block, bytesOf(host.dataset.samples));
    const source = (name) => block.program.find((step) => step.name === name), shapes = (name) => name === "input" ? input.shape : source(name).shape;
    const sizes = (step) => step.with.size ?? block.tensors[step.weights[0]].shape.slice(2);
    let result = null, asked = false;
    const ask = () => { if (!asked) { asked = true; requestAnimationFrame(() => { asked = false; if (ready) step(); }); } };
    const answer = (values) => { result = network.run(values); return softmax(result.logits); };
    const hand = liveHands[input.kind](block, () => ask(), answer);
    let ready = false;
    const { alike, furthest } = check(network, hand, samples, block.most ?? .01);
    const checked = make("p", { class: "live-said live-check" }, ...tell("Runs here as in torch: {n} of {all} samples. The logits differ by {away} of their spread at most.",
      { n: alike, all: samples.length, away: furthest < 1e-7 ? "0" : furthest.toExponential(0).replace("e-", " · 10⁻").replace(/\d$/, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]) }));
    if (alike < samples.length) throw new Error("It does not answer here as it did in torch.");

    const bars = prepareBars(classes), says = make("p", { class: "live-answer" }), heard = make("p", { class: "live-unseen", role: "status" });
    const walk = prepareWalk(network, { shapes, source, sizes, kind: input.kind, results: () => result, words: () => hand.words?.() ?? [], frame: hand.frame });
    const maps = network.shown.map((name) => [name, prepareMaps(network, name, input.kind, walk.open)]);
    const speak = liveTools.wait((words) => heard.replaceChildren(...words), 700);
    const step = () => {
      const shares = answer(hand.input()), [first, second] = [...shares.keys()].sort((a, b) => shares[b] - shares[a]);
      const inTags = (n) => typeof classes[n] === "string" ? classes[n] : null;
      const words = (n) => inTags(n) ?? one(`span[lang="${root.lang}"]`, make("p", {}, ...said(classes[n])))?.textContent ?? "";
      says.replaceChildren(make("strong", {}, ...said(classes[first])), ` ${perCent(shares[first])}`);
      bars.draw(shares);
      for (const [name, { draw }] of maps) draw(result.maps[name].data);
      hand.after?.(result);
      walk.again();
      speak(tell("{first}: {share}; then {second}: {other}", { first: words(first), share: perCent(shares[first]), second: words(second), other: perCent(shares[second]) }));
    };
    let chosen = null;
    const choose = (n) => {
      chosen = n;
      picks.forEach((pick, at) => pick.setAttribute?.("aria-pressed", at === n));
      hand.choose(samples[n]);
    };
    const picks = hand.thumb ? samples.map((sample, n) => named(button([hand.thumb(sample)], () => choose(n), { class: "live-pick" }), "Start from a sample: {label}", { label: spokenOf(classes[sample.label] ?? sample.id) })) : [];
    const list = hand.thumb ? named(make("div", { class: "live-picks", role: "group" }, ...picks), "Start from a sample") : make("label", { class: "live-choice" }, make("span", {}, ...tell("Start from a sample")), chooser(samples, choose));
    host.replaceChildren(list, make("div", { class: "live-hall" },
      make("div", { class: "live-near" }, make("p", { class: "live-said" }, ...tell(hand.hint)), hand.box, says, bars.list, hand.tools, checked, heard), make("div", { class: "live-far" }, ...maps.map(([, { box }]) => box))));
    ready = true;
    choose(0);
    let wide = host.clientWidth;
    new ResizeObserver(() => { if (host.clientWidth && host.clientWidth !== wide) { wide = host.clientWidth; for (const [, { relay }] of maps) relay(); } }).observe(host);
    host.dataset.running = "";
    return { network, hand, answer: () => softmax(result.logits) };
  };
  const spokenOf = (words) => typeof words === "string" ? words : words[tag()] ?? words.en;
  const chooser = (samples, choose) => {
    const select = make("select", {}, ...samples.map(({ text }, n) => make("option", { value: n }, text.length > 70 ? `${text.slice(0, 68)}…` : text)));
    select.addEventListener("change", () => choose(Number(select.value)));
    return select;
  };
  const prepareLive = (host) => { // not before it is on the screen: the page's first content comes first
    const near = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      near.disconnect();
      try { begin(host); }
      catch (error) {
        host.prepend(make("p", { class: "live-broken", role: "alert" }, ...tell("This network does not run here."), " ", ...tell(error.message)));
      }
    }, { rootMargin: "100px" });
    near.observe(host);
  };
  preparing.push((exhibit) => { for (const host of all(".live", exhibit)) prepareLive(host); });
}
