// Beside a live network: where it sees a class, and the question how little must change until it says another.
{
  const { perCent, sheet, spokenOf } = liveTools;
  const classChooser = (text, open, classes, act) => { // open: what stands where no class is chosen, −1
    const options = [open, ...classes].map((_, n) => make("option", { value: n - 1 })), select = make("select", {}, ...options);
    const speakOptions = () => options.forEach((option, n) => { option.textContent = n ? spokenOf(classes[n - 1], tag()) : inTag(tag(), open); });
    one(".language").addEventListener("click", () => setTimeout(speakOptions));
    select.addEventListener("change", () => act(Number(select.value)));
    speakOptions();
    return make("label", { class: "live-choice" }, make("span", {}, ...tell(text)), select);
  };

  // Class activation maps (Grad-CAM) of the last convolutions, at the places of the input and no finer than they are.
  const rounded = (value) => { const low = Math.floor(value); return value - low === .5 ? low + low % 2 : Math.round(value); }; // half to even
  liveTools.seen = ({ input, activation = [], classes }, network, shapes, spans, hand) => {
    const { kind } = input, places = kind === "words" ? input.shape : input.shape.slice(1), upward = kind === "sound";
    if (!activation.length) return { draw: () => {} };
    const onInput = (name, map) => { // of words each has its part of every window that holds it; elsewhere the nearest cell's value counts
      const cells = shapes(name).slice(1), window = (axis, n) => spans(name, cells.map((_, other) => other === axis ? n : 0))?.[axis];
      if (kind === "words") {
        const found = new Float64Array(places[0]);
        map.forEach((value, n) => {
          const [from, size] = window(0, n), start = Math.max(0, from), end = Math.min(places[0], from + size);
          for (let word = start; word < end; word++) found[word] += value / (end - start);
        });
        return found;
      }
      const nearest = places.map((length, axis) => {
        const first = window(axis, 0), stride = first && cells[axis] > 1 ? window(axis, 1)[0] - first[0] : 1, last = cells[axis] - 1;
        return Array.from({ length }, (_, at) => first ? Math.min(last, Math.max(0, rounded((at - first[0] - (first[1] - 1) / 2) / stride))) : Math.floor(at * cells[axis] / length));
      });
      return nearest.length < 2 ? nearest[0].map((at) => map[at]) : nearest[0].flatMap((row) => nearest[1].map((column) => map[row * cells[1] + column]));
    };
    const [rows, columns] = places.length > 1 ? places : [1, places[0]];
    const canvas = kind === "words" ? null : sheet(columns, rows, { class: "live-heat", role: "img" }), line = make("p", { class: "tokens live-heat-words", translate: "no", dir: "auto" });
    const under = make("p", { class: "live-said" });
    let chosen = -1, says = 0;
    const draw = (first) => {
      says = first;
      let found;
      try {
        if (activation.some((name) => shapes(name).length - 1 !== places.length)) throw new Error("Its last maps do not lie over the input.");
        const maps = activation.map((name) => onInput(name, network.activation(chosen < 0 ? says : chosen, name)));
        found = maps[0].map((_, n) => maps.reduce((sum, map) => sum + map[n], 0));
      } catch (error) {
        under.replaceChildren(...tell("There is no such map."), " ", ...tell(error.message));
        return;
      }
      const read = hand.words?.().slice(0, columns);
      if (read) found = found.subarray(0, read.length); // what lies on the padding behind a sentence says nothing
      const most = found.reduce((a, b) => Math.max(a, b), 0), at = found.indexOf(most);
      const values = { layers: activation.join(", "), cells: activation.map((name) => shapes(name).slice(1).join(" × ")).join(", "), most: shown(most), row: Math.floor(at / columns) + 1, column: at % columns + 1 };
      under.replaceChildren(...tell(!most ? "Grad-CAM of {layers}: nothing there speaks for this class." : kind === "picture" ? "Grad-CAM of {layers}, {cells} cells: at most {most}, around row {row}, column {column}."
        : "Grad-CAM of {layers}, {cells} cells: at most {most}.", values));
      if (read) line.replaceChildren(...read.map((word, n) => {
        const made = make("span", { class: "live-term" }, make("bdi", {}, word), make("small", {}, found[n] ? shown(Number(found[n].toFixed(3))) : "0"));
        made.style.setProperty("--share", `${most ? Math.round(40 * found[n] / most) : 0}%`);
        return made;
      }));
      if (!canvas) return;
      const grey = hand.grey?.() ?? found.map(() => .85);
      found.forEach((value, n) => {
        const red = most ? value / most : 0, plain = 255 * grey[n] * (1 - red), to = upward ? (rows - 1 - Math.floor(n / columns)) * columns + n % columns : n;
        canvas.pixels[to] = (255 << 24 | plain << 16 | plain << 8 | (plain + 255 * red)) >>> 0;
      });
      canvas.show();
    };
    const chooser = classChooser("Where it sees", "what it says itself", classes, (n) => { chosen = n; draw(says); });
    if (canvas) named(canvas.canvas, "The input, the redder, the more of the class is seen there");
    return { box: make("div", { class: "live-where" }, chooser, canvas ? canvas.canvas : line, under), draw };
  };

  // The network while it learned: a slider over the looks at it, the last of which is what it is now.
  liveTools.learned = ({ looks }, network, act) => {
    if (!looks) return [];
    const last = looks.length - 1, many = (n) => n.toLocaleString("en"), under = make("p", { class: "live-said live-learned", "aria-live": "polite" });
    const show = (n) => {
      const { step, epochs, right, labelled, same, n: all } = looks[n], values = { step: many(step), epochs: Number(epochs.toPrecision(2)), share: perCent(right / labelled), labelled: many(labelled), same: many(same), n: many(all) };
      under.replaceChildren(...tell(n === last ? "As it is now, after {step} steps: {share} of {labelled} test samples right." : step ? "After {step} steps, {epochs} passes over the training samples: {share} of {labelled} test samples right." : "Before the first step: {share} of {labelled} test samples right.", values),
        ...(n < last ? [" ", ...tell("The weights of that step are kept coarsely: {same} of {n} samples get the class that torch gave.", values)] : []));
    };
    const { box } = scale("Steps of training", looks.length, last, (n) => many(looks[n].step), (n) => { network.look(n); show(n); act(n); });
    show(last);
    return [make("div", { class: "live-tools" }, box, under)];
  };

  // A game: what was changed since the sample is counted, until the network says something else. The best counts are kept while the page is open.
  liveTools.game = (classes, hand) => {
    const counts = make("p", { class: "live-said" }), reached = make("p", { role: "status" }), best = make("p", { class: "live-said" }), kept = new Map();
    let target = -1, sample = null, from = 0, says = 0, told = "";
    const update = (first) => {
      says = first;
      const { score, words } = hand.changes(), done = score > 0 && says !== from && (target < 0 || says === target), key = `${sample} ${target}`;
      if (done && !(kept.get(key)?.score <= score)) kept.set(key, { score, words });
      counts.replaceChildren(...tell("Changed so far: "), ...words);
      const now = done ? `it says ${says}` : target === from ? "as before" : "";
      if (now !== told) reached.replaceChildren(...(done ? [...tell("Reached. It says: "), ...said(classes[says])] : now ? tell("It said so from the beginning. Choose another class.") : []));
      told = now; // what is said aloud is said once
      best.replaceChildren(...(kept.has(key) ? [...tell("Your best with this sample: "), ...kept.get(key).words.map((one) => one.cloneNode(true))] : []));
    };
    const chooser = classChooser("Until it says", "something else", classes, (n) => { target = n; update(says); });
    const box = make("details", { class: "fold live-game" }, make("summary", {}, ...tell("How little must change until it says something else?")), chooser, counts, reached, best,
      make("p", { class: "live-said" }, ...tell("Nothing of it is stored or sent.")));
    return { box, update, begin: (name, first) => { [sample, from] = [name, first]; update(first); } };
  };
}
