// What goes into a live network: a picture to draw on, a sound to move, a sentence to type, a signal to shift.
// Each hand has `box` (what one sees of the input), `tools`, `input()` (what the network gets), `choose(sample)`, `frame(place)`,
// `changes()` (how far it is from the sample: a score and the words for it), and where it is seen as a picture `grey()`, from 0 to 1.
const liveHands = {}, liveTools = {};
{
  const clamp = (value, least, most) => Math.min(most, Math.max(least, value));
  const wait = (work, time) => { let timer; return (...given) => { clearTimeout(timer); timer = setTimeout(work, time, ...given); }; };
  const sliced = (restore) => { // many passes in slices, so that the page stays quick; a new change ends them
    let round = 0;
    const run = (count, each, done) => {
      const mine = ++round;
      let n = 0;
      const go = () => {
        if (mine !== round) return;
        const end = performance.now() + 10;
        while (n < count && performance.now() < end) each(n++);
        restore(); // what is seen are the maps of the input again
        if (n < count) setTimeout(go); else done();
      };
      go();
    };
    return { run, stop: () => { round++; } };
  };
  const chance = (seed) => () => { // mulberry32: the same seed, the same noise
    seed = seed + 0x6d2b79f5 | 0;
    let mixed = Math.imul(seed ^ seed >>> 15, 1 | seed);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return ((mixed ^ mixed >>> 14) >>> 0) / 4294967296;
  };
  const noiseOf = (length, seed) => { // normal, mean 0, standard deviation 1
    const draw = chance(seed);
    return Float32Array.from({ length }, () => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw()));
  };
  const signed = (value, digits = 0) => `${value > 0 ? "+" : ""}${value.toFixed(digits)}`.replace("-", "−");
  const slide = (name, [least, most, step], said, act, at = 0) => { // a slider over numbers instead of places
    const { box, set } = scale(name, Math.round((most - least) / step) + 1, Math.round((at - least) / step), (n) => said(least + n * step), (n) => act(least + n * step));
    return { box, set: (value) => set(Math.round((value - least) / step)) };
  };
  const sheet = (width, height, attributes = {}) => { // a canvas and its pixels as numbers
    const canvas = make("canvas", { width, height, ...attributes }), pen = canvas.getContext("2d", { willReadFrequently: true });
    const image = pen.createImageData(width, height);
    return { canvas, pixels: new Uint32Array(image.data.buffer), show: () => pen.putImageData(image, 0, 0) };
  };
  const framed = (canvas, rows, columns) => { // over a canvas a frame, of places in rows and columns
    const frame = make("span", { class: "live-frame", hidden: "" }), cursor = make("span", { class: "live-cursor" });
    const lay = (mark, { top, left, high, wide }) => {
      for (const [name, share] of [["top", top / rows], ["left", left / columns], ["height", high / rows], ["width", wide / columns]])
        mark.style.setProperty(name, `${100 * share}%`);
    };
    return {
      box: make("div", { class: "live-stage" }, canvas, frame, cursor),
      frame: (place) => { frame.hidden = !place; if (place) lay(frame, place); },
      cursor: (place) => lay(cursor, place),
    };
  };
  const within = (canvas, event, rows, columns) => { // where a pointer is, in rows and columns
    const { left, top, width, height } = canvas.getBoundingClientRect();
    return [(event.clientY - top) / height * rows, (event.clientX - left) / width * columns];
  };
  // A picture seen from elsewhere: `from` says of a place in the new one where it lies in the old; each pixel is the mean of many × many places.
  const warped = (old, channels, rows, columns, from, many = 1) => {
    const made = new Float32Array(old.length), plane = rows * columns, share = 1 / (many * many);
    for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) for (let n = 0; n < many * many; n++) {
      const [y, x] = from(r + (Math.floor(n / many) + .5) / many - .5, c + (n % many + .5) / many - .5);
      const top = Math.floor(y), left = Math.floor(x), down = y - top, right = x - left;
      for (const [i, j, weight] of [[top, left, (1 - down) * (1 - right)], [top, left + 1, (1 - down) * right], [top + 1, left, down * (1 - right)], [top + 1, left + 1, down * right]])
        if (weight && i >= 0 && j >= 0 && i < rows && j < columns)
          for (let k = 0; k < channels; k++) made[k * plane + r * columns + c] += share * weight * old[k * plane + i * columns + j];
    }
    return made;
  };
  // As MNIST's digits were made: the ink fits a box of 20 of 28 pixels, its centre of mass lies in the middle.
  const centred = (old, rows, columns) => {
    let top = rows, left = columns, bottom = -1, right = -1, mass = 0, y = 0, x = 0;
    for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) {
      const ink = old[r * columns + c];
      if (ink < .1) continue;
      [top, bottom, left, right] = [Math.min(top, r), Math.max(bottom, r), Math.min(left, c), Math.max(right, c)];
      mass += ink; y += ink * r; x += ink * c;
    }
    if (!mass) return old;
    const by = Math.max(bottom - top + 1, right - left + 1) / (Math.min(rows, columns) * 20 / 28);
    return warped(old, 1, rows, columns, (r, c) => [y / mass + (r - rows / 2) * by, x / mass + (c - columns / 2) * by], Math.max(2, Math.ceil(by)));
  };
  const spokenOf = (words, tag) => typeof words === "string" ? words : words[tag] ?? words.en;
  const apart = (one, other) => { // how many words must be left out, put in or exchanged to make one of the other
    let costs = [...other.keys(), other.length];
    one.forEach((word, n) => { costs = other.reduce((made, each, k) => [...made, Math.min(made[k] + 1, costs[k + 1] + 1, costs[k] + (word !== each))], [n + 1]); });
    return costs.at(-1);
  };
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const perCent = (share) => `${(100 * share).toFixed(1)}\u202f%`;
  Object.assign(liveTools, { wait, sheet, framed, within, centred, spokenOf, apart, perCent });

  liveHands.picture = ({ input }, changed) => {
    const [channels, rows, columns] = input.shape, plane = rows * columns, side = Math.min(rows, columns);
    const over_ = input.over ?? 1, raw = ({ values }) => Float32Array.from(values, (value) => value / over_);
    const shows = channels === 1 ? [0, 0, 0] : channels === 2 ? [0, 1, 0] : [0, 1, 2];
    const main = sheet(columns, rows, { class: "live-draw", tabindex: 0, role: "application" }), seen = sheet(columns, rows, { role: "img" });
    const over = framed(main.canvas, rows, columns), after = framed(seen.canvas, rows, columns);
    const where = make("p", { class: "live-unseen", role: "status" }), cell = Math.max(1, Math.round(side / 14));
    let drawn = new Float32Array(channels * plane), first = drawn, noise = noiseOf(channels * plane, 1), seeds = 1;
    let tool = "Draw", thick = 2.5, colour = [1, 1, 1], turn = 0, right = 0, down = 0, rough = 0, central = false, last = null, at = [6, 6], strokes = 0;

    const moved = () => {
      let picture = drawn;
      if (turn || right || down) {
        const [sin, cos] = [Math.sin(turn * Math.PI / 180), Math.cos(turn * Math.PI / 180)], [y, x] = [(rows - 1) / 2, (columns - 1) / 2];
        picture = warped(drawn, channels, rows, columns, (r, c) => {
          const [i, j] = [r - down - y, c - right - x];
          return [y - sin * j + cos * i, x + cos * j + sin * i];
        });
      }
      return rough ? picture.map((value, n) => clamp(value + rough * noise[n], 0, 1)) : picture;
    };
    const show = ({ pixels, show: put }, picture) => {
      for (let n = 0; n < plane; n++) {
        const [red, green, blue] = shows.map((k) => Math.round(255 * picture[k * plane + n]));
        pixels[n] = (255 << 24 | blue << 16 | green << 8 | red) >>> 0;
      }
      put();
    };
    const inSteps = (picture) => picture.map((value) => Math.round(255 * value)); // that pictures have
    let given = drawn;
    const look = () => { // what is seen, and what the network gets
      const picture = moved();
      given = central ? centred(picture, rows, columns) : picture;
      show(main, picture);
      beside.hidden = !central;
      if (central) show(seen, given);
      changed();
    };
    const bake = () => { // what was moved stays there, so that a stroke falls where the pointer is
      if (turn || right || down || rough) drawn = moved();
      else if (drawn === first) drawn = drawn.slice();
      [turn, right, down, rough] = [0, 0, 0, 0];
      turning.set(0);
      roughening.set(0);
    };
    const stroke = ([r, c], [i, j]) => { // a round brush with a soft rim, from one place to another
      const radius = Math.max(.6, thick * side / 56), rim = Math.max(1, side / 28), [y, x] = [i - r, j - c], length = y * y + x * x, reach = radius + rim;
      for (let row = Math.max(0, Math.floor(Math.min(r, i) - reach)); row < Math.min(rows, Math.max(r, i) + reach); row++)
        for (let column = Math.max(0, Math.floor(Math.min(c, j) - reach)); column < Math.min(columns, Math.max(c, j) + reach); column++) {
          const along = length ? clamp(((row + .5 - r) * y + (column + .5 - c) * x) / length, 0, 1) : 0;
          const cover = clamp((radius + rim / 2 - Math.hypot(row + .5 - r - along * y, column + .5 - c - along * x)) / rim, 0, 1);
          for (let k = 0; k < channels; k++) {
            const place = k * plane + row * columns + column, ink = tool === "Erase" ? 0 : colour[k] ?? 1;
            const mixed = drawn[place] + cover * (ink - drawn[place]);
            drawn[place] = channels > 1 ? mixed : tool === "Erase" ? Math.min(drawn[place], 1 - cover) : Math.max(drawn[place], cover);
          }
        }
    };
    const { canvas } = main;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      canvas.setPointerCapture(event.pointerId);
      bake();
      last = within(canvas, event, rows, columns);
      strokes++;
      stroke(last, last);
      look();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      for (const each of event.getCoalescedEvents?.() ?? [event]) {
        const next = within(canvas, each, rows, columns);
        stroke(last, next);
        last = next;
      }
      look();
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { last = null; });
    const middle = () => at.map((place) => (place + .5) * cell);
    const point = () => {
      over.cursor({ top: at[0] * cell, left: at[1] * cell, high: cell, wide: cell });
      where.replaceChildren(...tell("Row {row}, column {column}", { row: at[0] + 1, column: at[1] + 1 }));
    };
    canvas.addEventListener("keydown", (event) => {
      const by = arrowOf(event);
      if (!by && event.key !== " " || event.ctrlKey || event.metaKey || event.altKey) return;
      taken(event);
      const before = middle();
      if (by) at = [clamp(at[0] + by[0], 0, Math.ceil(rows / cell) - 1), clamp(at[1] + by[1], 0, Math.ceil(columns / cell) - 1)];
      point();
      if (by && !event.shiftKey) return;
      bake();
      strokes++;
      stroke(before, middle());
      look();
    });
    named(canvas, "To draw on, {rows} × {columns} pixels. Arrow keys move by {cell} pixels, space draws, Shift with an arrow draws a line.", { rows, columns, cell });
    named(seen.canvas, "What the network gets");

    const choices = ["Draw", "Erase"].map((name) => button(tell(name), () => { tool = name; press(); }));
    const press = () => choices.forEach((choice, n) => choice.setAttribute("aria-pressed", tool === ["Draw", "Erase"][n]));
    const arrow = (sign, name, y, x) => named(button(sign, () => { down += y; right += x; look(); }), name);
    const turning = slide("Turn", [-90, 90, 5], (n) => `${signed(n)}°`, (n) => { turn = n; look(); });
    const roughening = slide("Noise", [0, 1, .05], (n) => n.toFixed(2), (n) => { rough = n; look(); });
    const another = button(tell("Other noise"), () => { noise = noiseOf(channels * plane, ++seeds); look(); });
    const ink = named(make("input", { type: "color", value: "#ffffff" }), "Colour of the brush");
    ink.addEventListener("input", () => { colour = [1, 3, 5].map((n) => parseInt(ink.value.slice(n, n + 2), 16) / 255); });
    const central_ = make("input", { type: "checkbox" });
    central_.addEventListener("change", () => { central = central_.checked; look(); });
    const start = (picture) => {
      drawn = first = picture;
      [turn, right, down, rough, strokes] = [0, 0, 0, 0, 0];
      turning.set(0);
      roughening.set(0);
      look();
    };
    const tools = make("div", { class: "live-tools" },
      make("div", { class: "hands" }, ...choices, slide("Brush", [1, 4, .5], (n) => `${n}`, (n) => { thick = n; }, thick).box, ...(channels === 3 ? [ink] : []),
        button(tell("Clear"), () => start(new Float32Array(channels * plane))), button(tell("Back to the sample"), () => start(chosen))),
      ...(channels === 1 ? [make("label", { class: "live-switch" }, central_, make("span", {}, ...tell("Centre it as MNIST does: scaled to 20 × 20 within 28 × 28 pixels, by its centre of mass")))] : []),
      make("div", { class: "hands" }, make("span", {}, ...tell("Shift")), arrow("←", "Shift left", 0, -1), arrow("↑", "Shift up", -1, 0), arrow("↓", "Shift down", 1, 0), arrow("→", "Shift right", 0, 1), turning.box),
      make("div", { class: "hands" }, roughening.box, another));
    const beside = make("div", { class: "live-seen", hidden: "" }, after.box, make("p", { class: "live-said" }, ...tell("What the network gets")));
    let chosen = drawn;
    press();
    point();
    where.replaceChildren();
    return {
      box: make("div", { class: "live-pair" }, over.box, beside, where), tools, hint: "Draw here.",
      input: () => inSteps(given).map((value) => value / 255 * over_),
      grey: () => Float32Array.from({ length: plane }, (_, n) => sum(shows.map((k) => given[k * plane + n])) / 3),
      changes: () => {
        const [now, before] = [moved(), chosen].map(inSteps), by = now.map((value, n) => Math.abs(value - before[n]) / 255), score = sum(by) / channels;
        const pixels = by.subarray(0, plane).filter((_, n) => shows.some((k) => by[k * plane + n])).length;
        return { score, words: tell("Strokes: {strokes}. Pixels: {pixels}. Ink: that of {ink} white pixels.", { strokes, pixels, ink: score.toFixed(1) }) };
      },
      look, choose: (sample) => { chosen = raw(sample); start(chosen); },
      frame: (place) => { over.frame(central ? null : place); after.frame(central ? place : null); },
      thumb: (sample) => { const small = sheet(columns, rows); show(small, raw(sample)); return small.canvas; },
    };
  };

  liveHands.sound = ({ input }, changed, answer, own) => {
    const [, rows, columns] = input.shape, [bands, times] = input.axes, { canvas, pixels, show: put } = sheet(columns, rows, { class: "live-draw", tabindex: 0, role: "application" });
    const over = framed(canvas, rows, columns), step = 1000 * (times.values[1] - times.values[0]), floorOf = (raw) => raw.reduce((a, b) => Math.min(a, b));
    const up = Math.round(rows / 3), on = Math.round(columns / 2), powers = [1, 2].map((seed) => { // of noise: each cell's is exponential, as white noise has it
      const draw = chance(seed);
      return Float32Array.from({ length: rows * columns }, () => 10 * Math.log10(-Math.log(1 - draw()) + 1e-6));
    });
    let raw = new Float32Array(rows * columns), floor = 0, loudest = 0, higher = 0, later = 0, level = -61, strip = 0, from = 0, along = "Frequency", seed = 0, held = null, given = raw;
    const high = () => along === "Frequency" ? rows : columns;
    const moved = (up, on) => raw.map((_, n) => {
      const [r, c] = [Math.floor(n / columns), n % columns], [i, j] = [r - up, c - on], place = along === "Frequency" ? r : c;
      let value = i >= 0 && j >= 0 && i < rows && j < columns ? raw[i * columns + j] : floor;
      if (place >= from && place < from + strip) value = floor;
      return level > -61 ? 10 * Math.log10(10 ** (value / 10) + 10 ** ((loudest + level + powers[seed][n]) / 10)) : value;
    });
    const look = () => {
      given = moved(higher, later);
      draw(pixels, given, put);
      passes.stop();
      changed();
      trace();
    };
    // Below a slider, at each of its places: the probability of what is most likely now.
    const curves = [up, on].map((reach) => named(make("canvas", { width: 2 * reach + 1, height: 24, role: "img", class: "live-curve" }), "How likely that class is at each place of the slider"));
    const passes = sliced(() => answer(given)), places = [up, on].flatMap((reach, axis) => Array.from({ length: 2 * reach + 1 }, (_, n) => [axis, n, n - reach]));
    const trace = wait(() => {
      const shares = [...answer(given)], k = shares.indexOf(Math.max(...shares)), found = [];
      passes.run(places.length, (n) => { const [axis, , by] = places[n]; found.push(answer(axis ? moved(higher, by) : moved(by, later))[k]); }, () => {
        const pens = curves.map((curve) => curve.getContext("2d"));
        pens.forEach((pen, axis) => { pen.clearRect(0, 0, curves[axis].width, 24); pen.fillStyle = getComputedStyle(curves[axis]).color; });
        places.forEach(([axis, at, by], n) => {
          const tall = Math.max(1, 24 * found[n]);
          pens[axis].globalAlpha = by === [higher, later][axis] ? 1 : .45;
          pens[axis].fillRect(at, 24 - tall, 1, tall);
        });
      });
    }, 200);
    const loud = (values) => { // of the 60 dB below its loudest place
      const most = values.reduce((a, b) => Math.max(a, b));
      return values.map((value) => clamp((value - most + 60) / 60, 0, 1));
    };
    const draw = (to, values, show) => { // low frequencies at the bottom
      loud(values).forEach((value, n) => { to[(rows - 1 - Math.floor(n / columns)) * columns + n % columns] = liveTools.colours.amount[Math.round(255 * value)]; });
      show();
    };
    const highers = slide("Along frequency", [-up, up, 1], (n) => signed(n), (n) => { higher = n; look(); });
    const laters = slide("Along time", [-on, on, 1], (n) => `${signed(n * step)} ms`, (n) => { later = n; look(); });
    const levels = slide("Noise", [-61, 0, 1], (n) => n < -60 ? "–" : `${signed(n)} dB`, (n) => { level = n; look(); }, -61);
    const named_ = () => [`${clamp(from, 0, high())}`, `${strip}`];
    const starts = scale("Strip from", 101, 30, (n) => along === "Frequency" ? `${bands.values[Math.min(rows - 1, Math.round(n / 100 * rows))].toFixed(0)} Hz` : `${(Math.round(n / 100 * columns) * step).toFixed(0)} ms`, (n) => { place = n; cut(); });
    const wides = scale("How wide", 51, 0, (n) => `${Math.round(n / 100 * high())}`, (n) => { width = n; cut(); });
    let place = 30, width = 0;
    const cut = () => { from = Math.round(place / 100 * high()); strip = Math.round(width / 100 * high()); look(); };
    const ways = ["Frequency", "Time"].map((name) => button(tell(name), () => { along = name; press(); cut(); starts.set(place); wides.set(width); }));
    const press = () => ways.forEach((way, n) => way.setAttribute("aria-pressed", along === ["Frequency", "Time"][n]));
    const move = (y, x) => { higher = clamp(y, -up, up); later = clamp(x, -on, on); highers.set(higher); laters.set(later); look(); };
    canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); held = [within(canvas, event, rows, columns), higher, later]; });
    canvas.addEventListener("pointermove", (event) => {
      if (!held) return;
      const [y, x] = within(canvas, event, rows, columns), [[top, left], higher_, later_] = held;
      move(higher_ - Math.round(y - top), later_ + Math.round(x - left));
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { held = null; });
    canvas.addEventListener("keydown", (event) => {
      const by = arrowOf(event);
      if (!by) return;
      taken(event);
      move(higher - by[0], later + by[1]);
    });
    named(canvas, "The spectrogram, to be moved: drag it, or use the arrow keys. Frequency runs upward, time to the right.");
    const start = (values) => {
      raw = values;
      floor = floorOf(raw);
      loudest = raw.reduce((a, b) => Math.max(a, b));
      [higher, later, level, strip, width] = [0, 0, -61, 0, 0];
      highers.set(0); laters.set(0); levels.set(-61); wides.set(0);
      look();
    };
    press();
    [highers, laters].forEach(({ box }, axis) => box.append(curves[axis]));
    const foot = make("p", { class: "live-said" }, ...tell("Up: {low} to {high} Hz. To the right: {time} ms.", { low: bands.values[0].toFixed(0), high: bands.values.at(-1).toFixed(0), time: (step * columns).toFixed(0) }));
    return {
      box: make("div", { class: "live-pair" }, over.box, foot), hint: "Drag it up, down, to and fro.",
      tools: make("div", { class: "live-tools" }, make("div", { class: "hands" }, highers.box, laters.box), make("p", { class: "live-said" }, ...tell("Red: how likely that class is at each place of the slider.")),
        make("div", { class: "hands" }, make("span", {}, ...tell("Silence a strip of")), ...ways, starts.box, wides.box),
        make("div", { class: "hands" }, levels.box, button(tell("Other noise"), () => { seed = 1 - seed; look(); }), button(tell("Back to the sample"), () => start(raw))),
        ...(input.listening ? liveTools.voice(input, (values) => { start(values); own(); }) : [])),
      input: () => given,
      grey: () => loud(given),
      changes: () => {
        const by = given.map((value, n) => Math.abs(value - raw[n])), score = sum(by) / by.length;
        return { score, words: tell("Places: {n} of {all}, by {by} dB on average over all.", { n: by.filter((one) => one > .05).length, all: by.length, by: score.toFixed(1) }) };
      },
      look, choose: ({ values }) => start(values),
      frame: (place) => over.frame(place && { ...place, top: rows - place.top - place.high }),
      thumb: (sample) => { const small = sheet(columns, rows); draw(small.pixels, sample.values, small.show); return small.canvas; },
    };
  };

  liveHands.signal = ({ input }, changed) => {
    const [channels, steps] = input.shape, wide = 640, lane = Math.max(60, Math.floor(240 / channels)), tall = lane * channels;
    const canvas = make("canvas", { width: wide, height: tall, class: "live-lines", role: "img" }), over = framed(canvas, channels, steps);
    let raw = new Float32Array(channels * steps), spread = [], later = 0, rough = 0, seeds = 1, noise = noiseOf(raw.length, 1), given = raw;
    const lines = (to, values) => {
      const pen = to.getContext("2d"), [w, h] = [to.width, to.height / channels];
      pen.clearRect(0, 0, to.width, to.height);
      pen.strokeStyle = getComputedStyle(root).getPropertyValue("color");
      pen.lineWidth = to.width > 200 ? 2 : 1;
      for (let k = 0; k < channels; k++) {
        const part = values.subarray(k * steps, (k + 1) * steps), low = part.reduce((a, b) => Math.min(a, b)), high = part.reduce((a, b) => Math.max(a, b));
        pen.beginPath();
        part.forEach((value, n) => pen.lineTo((n + .5) / steps * w, (k + .92 - .84 * (high > low ? (value - low) / (high - low) : .5)) * h));
        pen.stroke();
      }
    };
    const look = () => {
      given = raw.map((_, n) => {
        const [k, t] = [Math.floor(n / steps), n % steps], from = clamp(t - later, 0, steps - 1);
        return raw[k * steps + from] + rough * spread[k] * noise[n];
      });
      lines(canvas, given);
      changed();
    };
    const laters = slide("Along time", [-Math.round(steps / 2), Math.round(steps / 2), 1], (n) => signed(n), (n) => { later = n; look(); });
    const roughs = slide("Noise", [0, 2, .1], (n) => n.toFixed(1), (n) => { rough = n; look(); });
    const start = (values) => {
      raw = values;
      spread = [...Array(channels).keys()].map((k) => {
        const part = raw.subarray(k * steps, (k + 1) * steps), mean = part.reduce((a, b) => a + b, 0) / steps;
        return Math.sqrt(part.reduce((sum, value) => sum + (value - mean) ** 2, 0) / steps);
      });
      [later, rough] = [0, 0];
      laters.set(0); roughs.set(0);
      look();
    };
    named(canvas, "The signal");
    return {
      box: make("div", { class: "live-pair" }, over.box), hint: "Shift it.",
      tools: make("div", { class: "live-tools" }, make("div", { class: "hands" }, laters.box, roughs.box, button(tell("Other noise"), () => { noise = noiseOf(raw.length, ++seeds); look(); }), button(tell("Back to the sample"), () => start(raw)))),
      input: () => given,
      changes: () => {
        const score = sum(given.map((value, n) => Math.abs(value - raw[n]) / (spread[Math.floor(n / steps)] || 1))) / given.length;
        return { score, words: tell("By {by} standard deviations on average.", { by: score.toFixed(2) }) };
      },
      look, choose: ({ values }) => start(values),
      frame: (place) => over.frame(place && { ...place, top: 0, high: channels }),
      thumb: (sample) => { const small = make("canvas", { width: 60, height: 40 }); lines(small, sample.values); return small; },
    };
  };

  liveHands.words = ({ input, classes }, changed, answer) => {
    const [length] = input.shape, places = new Map(input.vocabulary.map((word, n) => [word, n])), between = input.way === "characters" ? "" : " ";
    const entry = named(make("textarea", { rows: 2, maxlength: 3000, spellcheck: "false", autocomplete: "off", translate: "no", dir: "auto" }), "A sentence to type");
    const said_ = make("p", { class: "live-said" }), line = make("p", { class: "tokens live-words", translate: "no", dir: "auto" }), of = make("div", { class: "hands" });
    const text = ({ text, values }) => text ?? [...values].filter(Boolean).map((token) => token === 1 ? "___" : input.vocabulary[token]).join(between);
    const idOf = (word) => { const n = places.get(word); return n > 1 ? n : 1; };
    let words_ = [], chosen = "", column = null, adds = [];
    const ids = (words_) => Int32Array.from({ length }, (_, n) => n < words_.length ? idOf(words_[n]) : 0);
    const buttons = classes.length > 12 ? [] : classes.map((name, n) => button(said(name), () => { column = n; lay(); }));
    if (buttons.length) of.append(make("span", {}, ...tell("What each word adds to")), ...buttons);
    // What a word adds to a class: by how much its probability falls when the word is left out.
    const passes = sliced(() => answer(ids(words_)));
    const leave = wait(() => {
      const whole = [...answer(ids(words_))], found = [];
      passes.run(Math.min(words_.length, length), (n) => found.push([...answer(ids(words_.filter((_, at) => at !== n)))].map((share, k) => whole[k] - share)), () => {
        adds = found;
        lay(whole);
      });
    }, 120);
    let best = 0;
    const lay = (whole) => {
      if (whole) best = whole.indexOf(Math.max(...whole));
      const k = column ?? best, most = Math.max(.02, ...adds.map((shares) => Math.abs(shares[k]))), held = line.contains(document.activeElement) ? [...line.children].indexOf(document.activeElement) : -1;
      buttons.forEach((each, n) => each.setAttribute("aria-pressed", n === k));
      line.replaceChildren(...words_.map((word, n) => {
        const share = adds[n]?.[k] ?? 0, level = Math.round(12 * Math.abs(share) / most), known = idOf(word) > 1, points = `${share > 0 ? "+" : ""}${(100 * share).toFixed(1)}`.replace("-", "−").replace(/^[+−]0\.0$/, "0");
        const made = button([make("bdi", {}, word), make("small", {}, n < length ? known ? points : [...tell("unknown")] : "…")].flat(), () => remove(n),
          { class: `live-word${level ? ` ${share > 0 ? "p" : "n"}${level}` : ""}${known ? "" : " live-strange"}` });
        if (!known) one("small", made).replaceChildren(...tell("unknown"), ` ${points}`);
        return named(made, known ? "{word}: {points} points. Leave it out" : "{word}, unknown: {points} points. Leave it out", { word, points });
      }));
      if (held >= 0) (line.children[Math.min(held, words_.length - 1)] ?? entry).focus();
    };
    const read = () => {
      words_ = CnnatomyLive.tokenise(entry.value, input.way);
      const strange = words_.filter((word) => idOf(word) === 1).length;
      said_.replaceChildren(...tell("{n} words, {strange} of them unknown to the network. Press a word to leave it out.", { n: words_.length, strange }),
        ...(words_.length > length ? [" ", ...tell("Only the first {length} are read.", { length })] : []));
      adds = [];
      passes.stop();
      lay();
      changed();
      leave();
    };
    const remove = (n) => { words_.splice(n, 1); entry.value = words_.join(between); read(); };
    entry.addEventListener("input", read);
    entry.addEventListener("keydown", (event) => event.stopPropagation()); // what is typed is no key of the page's
    return {
      box: make("div", { class: "live-sentence" }, entry, line, said_), hint: "Type a sentence.",
      tools: make("div", { class: "live-tools" }, of, make("div", { class: "hands" }, button(tell("Clear"), () => { entry.value = ""; read(); entry.focus(); }),
        button(tell("Back to the sample"), () => { entry.value = chosen; read(); }))),
      input: () => ids(words_), words: () => words_,
      changes: () => {
        const score = apart(CnnatomyLive.tokenise(chosen, input.way), words_);
        return { score, words: tell("Words left out, put in or exchanged: {n}.", { n: score }) };
      },
      text, look: read, choose: (sample) => { chosen = text(sample); entry.value = chosen; read(); },
      frame: (place) => [...line.children].forEach((word, n) => word.classList.toggle("live-under", !!place && n >= place.left && n < place.left + place.wide)),
    };
  };
}
