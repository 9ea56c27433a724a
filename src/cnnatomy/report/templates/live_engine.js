// A network that runs in the page: the program and the weights of a block `live` (docs/exhibit.md), worked out as torch does.
const CnnatomyLive = (() => {
  const count = (shape) => shape.reduce((a, b) => a * b, 1);
  const flat = (x, values, none) => x.shape.length > 2 ? values : [none, values[0]]; // settings of one axis as of two
  const spatial = (shape) => [shape[0], shape.length > 2 ? shape[1] : 1, shape.at(-1)]; // channels, rows, columns

  // --- numbers by themselves
  const erf = (x) => { // by its series where that is quick, by its continued fraction beyond: within 1e-12
    const size = Math.abs(x);
    if (size > 6) return Math.sign(x);
    if (size < 2.5) {
      let term = size, sum = size;
      for (let n = 1; n < 60 && Math.abs(term) > 1e-17; n++) { term *= -size * size / n; sum += term / (2 * n + 1); }
      return Math.sign(x) * sum * 2 / Math.sqrt(Math.PI);
    }
    let tail = 0;
    for (let n = 60; n > 0; n--) tail = n / 2 / (size + tail);
    return Math.sign(x) * (1 - Math.exp(-size * size) / ((size + tail) * Math.sqrt(Math.PI)));
  };
  const sigmoid = (x) => 1 / (1 + Math.exp(-x));
  const between = (x, least, most) => Math.min(most, Math.max(least, x));
  const softplus = (x, { beta = 1, threshold = 20 }) => x * beta > threshold ? x : Math.log1p(Math.exp(x * beta)) / beta;
  const SELU = [1.0507009873554805, 1.6732632423543772];
  const SINGLE = {
    relu: (x) => x > 0 ? x : 0,
    relu6: (x) => between(x, 0, 6),
    leaky_relu: (x, { slope }) => x > 0 ? x : slope * x,
    elu: (x, { alpha, times, inside }) => times * (x > 0 ? x : alpha * Math.expm1(x * inside)),
    celu: (x, { alpha }) => x > 0 ? x : alpha * Math.expm1(x / alpha),
    selu: (x) => SELU[0] * (x > 0 ? x : SELU[1] * Math.expm1(x)),
    gelu: (x) => x * (1 + erf(x / Math.SQRT2)) / 2,
    gelu_tanh: (x) => x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))) / 2,
    silu: (x) => x * sigmoid(x),
    mish: (x) => x * Math.tanh(softplus(x, {})),
    hardswish: (x) => x * between(x + 3, 0, 6) / 6,
    hardsigmoid: (x) => between(x + 3, 0, 6) / 6,
    sigmoid,
    tanh: Math.tanh,
    softplus,
    softsign: (x) => x / (1 + Math.abs(x)),
    clamp: (x, { least = -Infinity, most = Infinity }) => between(x, least, most),
    power: (x, { exponent }) => x ** exponent,
    exp: Math.exp,
    log: Math.log,
    sqrt: Math.sqrt,
    rsqrt: (x) => 1 / Math.sqrt(x),
    reciprocal: (x) => 1 / x,
    square: (x) => x * x,
    abs: Math.abs,
    neg: (x) => -x,
  };
  const COMPARED = { ne: (a, b) => a !== b, eq: (a, b) => a === b, gt: (a, b) => a > b, ge: (a, b) => a >= b, lt: (a, b) => a < b, le: (a, b) => a <= b };
  const DOUBLE = {
    add: (a, b, { times = 1 }) => a + times * b,
    subtract: (a, b, { times = 1 }) => a - times * b,
    multiply: (a, b) => a * b,
    divide: (a, b) => a / b,
    maximum: (a, b) => Math.max(a, b),
    minimum: (a, b) => Math.min(a, b),
    compare: (a, b, { how }) => +COMPARED[how](Math.fround(a), Math.fround(b)),
  };

  // --- operations: (output, inputs, settings, weights), each {shape, data}
  let scratch = new Float32Array(0);
  // What each weight of a filter meets at each place of its map, (channels × kernel, places), of the channels from `first` on
  const unrolled = (x, first, each, [tall, wide], [rows, columns], [down, right], [above, left], [spread, apart]) => {
    const [, height, width] = spatial(x.shape), places = rows * columns, from = x.data;
    if (tall * wide === 1 && down === 1 && right === 1 && rows === height && columns === width)
      return from.subarray(first * places, (first + each) * places);
    const size = each * tall * wide * places;
    if (scratch.length < size) scratch = new Float32Array(size);
    const made = scratch.subarray(0, size).fill(0);
    let at = 0;
    for (let channel = first; channel < first + each; channel++)
      for (let i = 0; i < tall; i++)
        for (let j = 0; j < wide; j++, at += places)
          for (let row = 0; row < rows; row++) {
            const y = row * down + i * spread - above, shift = j * apart - left;
            if (y < 0 || y >= height) continue;
            const begin = Math.max(0, Math.ceil(-shift / right)), end = Math.min(columns, Math.floor((width - 1 - shift) / right) + 1);
            let u = (channel * height + y) * width + begin * right + shift;
            for (let column = begin; column < end; column++, u += right) made[at + row * columns + column] = from[u];
          }
    return made;
  };
  const convolution = (out, [x], { stride, padding, dilation, groups }, [weight, bias]) => {
    const [filters, rows, columns] = spatial(out.shape), kernel = flat(x, weight.shape.slice(2), 1);
    const each = weight.shape[1], per = filters / groups, places = rows * columns, depth = each * kernel[0] * kernel[1];
    const to = out.data, w = weight.data;
    for (let group = 0; group < groups; group++) {
      const met = unrolled(x, group * each, each, kernel, [rows, columns], flat(x, stride, 1), flat(x, padding, 0), flat(x, dilation, 1));
      for (let filter = group * per; filter < (group + 1) * per; filter++) {
        const base = filter * places, first = filter * depth, start = bias ? bias.data[filter] : 0;
        if (places < 8) { // few places: a sum for each
          for (let place = 0; place < places; place++) {
            let sum = start;
            for (let k = 0, u = place; k < depth; k++, u += places) sum += w[first + k] * met[u];
            to[base + place] = sum;
          }
          continue;
        }
        to.fill(start, base, base + places);
        let k = 0;
        for (; k + 4 <= depth; k += 4) { // many places: four weights at a time over all of them
          const [a, b, c, d] = [w[first + k], w[first + k + 1], w[first + k + 2], w[first + k + 3]];
          let [p, q, r, s] = [k * places, (k + 1) * places, (k + 2) * places, (k + 3) * places];
          for (let u = base; u < base + places; u++) to[u] += a * met[p++] + b * met[q++] + c * met[r++] + d * met[s++];
        }
        for (; k < depth; k++) for (let u = base, p = k * places; u < base + places; u++) to[u] += w[first + k] * met[p++];
      }
    }
  };
  const linear = (out, [x], _, [weight, bias]) => {
    const [outputs, inputs] = weight.shape, w = weight.data, from = x.data;
    for (let row = 0; row < x.data.length / inputs; row++)
      for (let output = 0; output < outputs; output++) {
        let sum = bias ? bias.data[output] : 0;
        for (let i = 0, at = output * inputs, u = row * inputs; i < inputs; i++) sum += w[at + i] * from[u + i];
        out.data[row * outputs + output] = sum;
      }
  };
  const embedding = (out, [x], _, [weight]) => {
    const [words, size] = weight.shape;
    x.data.forEach((word, place) => {
      if (!(word >= 0 && word < words)) throw new Error(`There is no word ${word}.`);
      out.data.set(weight.data.subarray(word * size, (word + 1) * size), place * size);
    });
  };
  const batch_norm = (out, [x], _, [factor, shift]) => {
    const size = count(x.shape.slice(1));
    for (let channel = 0; channel < x.shape[0]; channel++)
      for (let u = channel * size; u < (channel + 1) * size; u++) out.data[u] = x.data[u] * factor.data[channel] + shift.data[channel];
  };
  const standard = (out, x, start, size, eps) => { // mean 0, variance 1
    let sum = 0, squares = 0;
    for (let u = start; u < start + size; u++) sum += x[u];
    const mean = sum / size;
    for (let u = start; u < start + size; u++) squares += (x[u] - mean) ** 2;
    const factor = 1 / Math.sqrt(squares / size + eps);
    for (let u = start; u < start + size; u++) out[u] = (x[u] - mean) * factor;
  };
  const layer_norm = (out, [x], { over, eps }, [weight, bias]) => {
    const size = count(x.shape.slice(-over));
    for (let start = 0; start < x.data.length; start += size) {
      standard(out.data, x.data, start, size, eps);
      if (weight) for (let u = 0; u < size; u++) out.data[start + u] = out.data[start + u] * weight.data[u] + bias.data[u];
    }
  };
  const group_norm = (out, [x], { groups, eps }, weights) => {
    const size = x.data.length / groups;
    for (let group = 0; group < groups; group++) standard(out.data, x.data, group * size, size, eps);
    if (weights.length) batch_norm(out, [out], {}, weights);
  };
  // Pools: act(place, the places in the input of its window, how many it counts for) for each window that `sides` cuts
  const windows = (out, x, sides, act) => {
    const [channels, height, width] = spatial(x.shape), [, rows, columns] = spatial(out.shape), seen = [];
    for (let channel = 0; channel < channels; channel++)
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++) {
          const [top, bottom, down, tall] = sides(0, row, height, rows), [left, right, step, wide] = sides(1, column, width, columns);
          seen.length = 0;
          for (let y = top; y < bottom; y += down)
            for (let u = left; u < right; u += step) seen.push((channel * height + y) * width + u);
          act((channel * rows + row) * columns + column, seen, tall * wide);
        }
  };
  const CUT = { // (settings, input) → (axis, place, length, places) → [from, to, step, how many it counts for]
    max_pool: ({ size, stride, padding, dilation }, x) => {
      const [sizes, strides, pads, steps] = [flat(x, size, 1), flat(x, stride, 1), flat(x, padding, 0), flat(x, dilation, 1)];
      return (axis, place, length) => {
        let start = place * strides[axis] - pads[axis];
        const end = Math.min(start + (sizes[axis] - 1) * steps[axis] + 1, length);
        while (start < 0) start += steps[axis];
        return [start, end, steps[axis], 1];
      };
    },
    average_pool: ({ size, stride, padding, counts_padding }, x) => {
      const [sizes, strides, pads] = [flat(x, size, 1), flat(x, stride, 1), flat(x, padding, 0)];
      return (axis, place, length) => {
        const start = place * strides[axis] - pads[axis], end = Math.min(start + sizes[axis], length + pads[axis]);
        const from = Math.max(0, start), to = Math.min(end, length);
        return [from, to, 1, counts_padding ? end - start : to - from];
      };
    },
    adaptive: ({ axes }) => (axis, place, length, places) => { // of a map that is cut into so many places
      if (axes === 1 && axis === 0) return [place, place + 1, 1, 1];
      const start = Math.floor(place * length / places), end = Math.ceil((place + 1) * length / places);
      return [start, end, 1, end - start];
    },
  };
  const largest = (data, seen) => { // its place
    let found = seen[0];
    for (const place of seen) if (data[place] > data[found] || Number.isNaN(data[place])) found = place;
    return found;
  };
  const total = (data, seen) => { let sum = 0; for (const place of seen) sum += data[place]; return sum; };
  const most = (cut) => (out, [x], given) => windows(out, x, cut(given, x), (place, seen) => { out.data[place] = x.data[largest(x.data, seen)]; });
  const mean = (cut) => (out, [x], given) => windows(out, x, cut(given, x), (place, seen, counts) => { out.data[place] = total(x.data, seen) / (given.over ?? counts); });
  // Where along its axes each number of a tensor lies
  const steps = (shape) => shape.map((_, axis) => count(shape.slice(axis + 1)));
  const walked = (shape, strides, act) => { // act(place in order, place by the strides)
    const at = shape.map(() => 0), total = count(shape);
    let there = 0;
    for (let here = 0; here < total; here++) {
      act(here, there);
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        there += strides[axis];
        if (++at[axis] < shape[axis]) break;
        there -= strides[axis] * shape[axis];
        at[axis] = 0;
      }
    }
  };
  const reduce = (out, [x], { by, axes }) => {
    const kept = steps(x.shape.map((size, axis) => axes.includes(axis) ? 1 : size));
    const strides = kept.map((step, axis) => axes.includes(axis) ? 0 : step), n = count(axes.map((axis) => x.shape[axis]));
    const to = new Float64Array(out.data.length).fill({ max: -Infinity, min: Infinity }[by] ?? 0), from = x.data;
    walked(x.shape, strides, (here, there) => {
      to[there] = by === "max" ? Math.max(to[there], from[here]) : by === "min" ? Math.min(to[there], from[here]) : to[there] + from[here];
    });
    for (let place = 0; place < to.length; place++) out.data[place] = by === "mean" ? to[place] / n : to[place];
  };
  const exponents = (out, x, axis, logarithm) => {
    const length = x.shape[axis], step = count(x.shape.slice(axis + 1));
    for (let start = 0; start < x.data.length; start++) {
      if (Math.floor(start / step) % length) continue;
      let most = -Infinity, sum = 0;
      for (let i = 0; i < length; i++) most = Math.max(most, x.data[start + i * step]);
      for (let i = 0; i < length; i++) sum += Math.exp(x.data[start + i * step] - most);
      for (let i = 0; i < length; i++) {
        const value = x.data[start + i * step] - most;
        out.data[start + i * step] = logarithm ? value - Math.log(sum) : Math.exp(value) / sum;
      }
    }
  };
  const softmax = (out, [x], { axis }) => exponents(out, x, axis, false);
  const log_softmax = (out, [x], { axis }) => exponents(out, x, axis, true);
  const permute = (out, [x], { order }) => {
    const strides = steps(x.shape);
    walked(out.shape, order.map((axis) => strides[axis]), (here, there) => { out.data[here] = x.data[there]; });
  };
  const cat = (out, parts, { axis }) => {
    const behind = count(out.shape.slice(axis + 1)), before = count(out.shape.slice(0, axis));
    let start = 0;
    for (const part of parts) {
      const size = part.shape[axis] * behind;
      for (let i = 0; i < before; i++) out.data.set(part.data.subarray(i * size, (i + 1) * size), i * out.shape[axis] * behind + start);
      start += size;
    }
  };
  const pad = (out, [x], { before, value }) => {
    out.data.fill(value);
    const strides = steps(out.shape), at = x.shape.map(() => 0);
    for (let here = 0; here < x.data.length; here++) {
      if (at.every((place, axis) => place + before[axis] >= 0 && place + before[axis] < out.shape[axis]))
        out.data[at.reduce((sum, place, axis) => sum + (place + before[axis]) * strides[axis], 0)] = x.data[here];
      for (let axis = at.length - 1; axis >= 0 && ++at[axis] === x.shape[axis]; axis--) at[axis] = 0;
    }
  };
  const take = (out, [x], { axis, places }) => {
    const behind = count(x.shape.slice(axis + 1)), before = count(x.shape.slice(0, axis)), length = x.shape[axis];
    let at = 0;
    for (let i = 0; i < before; i++)
      for (const place of places) {
        const from = (i * length + place) * behind;
        out.data.set(x.data.subarray(from, from + behind), at);
        at += behind;
      }
  };
  const slice = (out, x, { axis, start, step, size }) =>
    take(out, x, { axis, places: Array.from({ length: size }, (_, i) => start + i * step) });
  const spanned = (shape, over) => { // strides of a tensor that is stretched over a larger shape
    const own = steps(shape);
    return over.map((_, axis) => { const k = axis - over.length + shape.length; return k < 0 || shape[k] === 1 ? 0 : own[k]; });
  };
  const operands = (parts, { before, behind }, shape) => { // what stands on either side of a sign, and which number of it at each place
    const number = (value) => ({ shape: [], data: [value] });
    const [one, other] = parts.length > 1 ? parts : before === undefined ? [parts[0], number(behind)] : [number(before), parts[0]];
    return [one, other].map((part) => {
      const places = new Int32Array(count(shape));
      walked(shape, spanned(part.shape, shape), (here, there) => { places[here] = there; });
      return { ...part, places };
    });
  };
  const two = (act) => (out, parts, given) => {
    const [a, b] = operands(parts, given, out.shape);
    for (let u = 0; u < out.data.length; u++) out.data[u] = act(a.data[a.places[u]], b.data[b.places[u]], given);
  };
  const fill = (out, [x, mask], { value }) => two((a, b) => b ? value : a)(out, [x, mask], {});
  const prelu = (out, [x], _, [{ data }]) => two((value, slope) => value > 0 ? value : slope * value)(out, [x, { shape: [data.length, ...x.shape.slice(1).map(() => 1)], data }], {});
  const single = (act) => (out, [x], given) => { for (let u = 0; u < out.data.length; u++) out.data[u] = act(x.data[u], given); };

  const OPERATIONS = {
    ...Object.fromEntries(Object.entries(SINGLE).map(([name, act]) => [name, single(act)])),
    ...Object.fromEntries(Object.entries(DOUBLE).map(([name, act]) => [name, two(act)])),
    convolution, linear, embedding, batch_norm, layer_norm, group_norm, reduce, softmax, log_softmax, permute, cat, pad, take, slice, fill, prelu,
    max_pool: most(CUT.max_pool), average_pool: mean(CUT.average_pool), adaptive_max_pool: most(CUT.adaptive), adaptive_average_pool: mean(CUT.adaptive),
  };

  const positionOf = (place, sides) => steps(sides).map((step, axis) => Math.floor(place / step) % sides[axis]);
  // Where in a channel of the input a window at this position has its places, −1 for padding
  const seenFrom = (x, size, { stride, padding, dilation }, position) => Array.from({ length: count(size) }, (_, n) => {
    const at = positionOf(n, size).map((place, axis) => position[axis] * stride[axis] - padding[axis] + place * dilation[axis]), strides = steps(x.shape).slice(1);
    return at.every((place, axis) => place >= 0 && place < x.shape[axis + 1]) ? at.reduce((sum, place, axis) => sum + place * strides[axis], 0) : -1;
  });

  // --- the way back: (what a logit gains by a little more of each number of the output, inputs, settings, weights, output) → the same of each input
  const slope = (act, x) => { const by = 1e-6 * Math.max(0.01, Math.abs(x)); return (act(x) - act(x - by)) / by; }; // from the left: at 0, ReLU has none
  const scattered = (x, act) => { const found = new Float64Array(x.data.length); act(found); return [found]; };
  const moved = (op) => (gain, parts, given, weights, out) => { // by an operation that only moves numbers: it is given their places
    let last = 0;
    const places = parts.map(({ shape, data }) => ({ shape, data: Float32Array.from(data, () => ++last) })), to = { shape: out.shape, data: new Float32Array(gain.length) };
    OPERATIONS[op](to, places, { ...given, value: 0 }, weights);
    const found = new Float64Array(last + 1);
    to.data.forEach((place, u) => { found[place] += gain[u]; });
    return places.map(({ data }) => found.slice(data[0], data[0] + data.length));
  };
  const BACK = {
    ...Object.fromEntries(Object.entries(SINGLE).map(([op, act]) => [op, (gain, [x], given) => [gain.map((one, u) => one * slope((value) => act(value, given), x.data[u]))]])),
    ...Object.fromEntries(["permute", "cat", "pad", "take", "slice"].map((op) => [op, moved(op)])),
    ...Object.fromEntries(Object.entries(DOUBLE).map(([op, act]) => [op, (gain, parts, given, _, out) => {
      const sides = operands(parts, given, out.shape), made = sides.map(({ data }) => new Float64Array(data.length));
      gain.forEach((one, u) => {
        const [a, b] = sides.map(({ data, places }) => data[places[u]]);
        made[0][sides[0].places[u]] += one * slope((value) => act(value, b, given), a);
        made[1][sides[1].places[u]] += one * slope((value) => act(a, value, given), b);
      });
      return parts.length > 1 ? made : [made[given.before === undefined ? 0 : 1]];
    }])),
    reshape: (gain) => [gain],
    batch_norm: (gain, [x], _, [factor]) => [gain.map((one, u) => one * factor.data[Math.floor(u / count(x.shape.slice(1)))])],
    linear: (gain, [x], _, [weight]) => scattered(x, (found) => {
      const [outputs, inputs] = weight.shape;
      gain.forEach((one, place) => {
        const row = Math.floor(place / outputs) * inputs, at = place % outputs * inputs;
        if (one) for (let i = 0; i < inputs; i++) found[row + i] += one * weight.data[at + i];
      });
    }),
    convolution: (gain, [x], given, [weight], out) => scattered(x, (found) => {
      const [filters, ...sides] = out.shape, places = count(sides), area = count(weight.shape.slice(2)), each = weight.shape[1], whole = count(x.shape.slice(1));
      for (let place = 0; place < places; place++)
        seenFrom(x, weight.shape.slice(2), given, positionOf(place, sides)).forEach((at, n) => {
          if (at < 0) return; // padding
          for (let filter = 0; filter < filters; filter++)
            for (let c = 0, first = Math.floor(filter * given.groups / filters) * each; c < each; c++)
              found[(first + c) * whole + at] += gain[filter * places + place] * weight.data[(filter * each + c) * area + n];
        });
    }),
    reduce: (gain, [x], { by, axes }, _, out) => scattered(x, (found) => {
      const kept = steps(x.shape.map((size, axis) => axes.includes(axis) ? 1 : size)), met = gain.map(() => 0);
      const each = (act) => walked(x.shape, kept.map((step, axis) => axes.includes(axis) ? 0 : step), act);
      const counts = (here, there) => by === "mean" || by === "sum" || x.data[here] === out.data[there]; // of ties, each its part
      each((here, there) => { met[there] += counts(here, there); });
      each((here, there) => { if (counts(here, there)) found[here] = gain[there] / (by === "sum" ? 1 : met[there]); });
    }),
    ...Object.fromEntries(["max_pool", "adaptive_max_pool"].map((op) => [op, (gain, [x], given, _, out) => scattered(x, (found) =>
      windows(out, x, (CUT[op] ?? CUT.adaptive)(given, x), (place, seen) => { found[largest(x.data, seen)] += gain[place]; }))])),
    ...Object.fromEntries(["average_pool", "adaptive_average_pool"].map((op) => [op, (gain, [x], given, _, out) => scattered(x, (found) =>
      windows(out, x, (CUT[op] ?? CUT.adaptive)(given, x), (place, seen, counts) => { for (const one of seen) found[one] += gain[place] / (given.over ?? counts); }))])),
  };

  // --- weights and samples out of bytes, little endian
  const CHANGED = "The network's file is not as it was written.", INFINITE = "The network's weights are not finite.";
  const UNKNOWN = "The page does not know one of the network's operations.";
  const halves = (bits) => { // float16 as float32
    const found = new Float32Array(bits.length);
    for (let u = 0; u < bits.length; u++) {
      const half = bits[u], exponent = half >> 10 & 31, mantissa = half & 1023, sign = half & 32768 ? -1 : 1;
      found[u] = sign * (exponent === 0 ? mantissa * 2 ** -24
        : exponent === 31 ? (mantissa ? NaN : Infinity) : (1024 + mantissa) * 2 ** (exponent - 25));
    }
    return found;
  };
  const KINDS = { int8: Int8Array, int16: Int16Array, uint8: Uint8Array, float16: Uint16Array, int32: Int32Array, float32: Float32Array };
  const numbers = (bytes, type, at, length) => {
    const size = length * KINDS[type]?.BYTES_PER_ELEMENT;
    if (!(at >= 0 && at + size <= bytes.byteLength)) throw new Error(CHANGED);
    const found = new KINDS[type](bytes.buffer.slice(bytes.byteOffset + at, bytes.byteOffset + at + size));
    return type === "float16" ? halves(found) : found;
  };
  const whole = (bytes, at, length, bits) => { // the upper eight bits of all, then each bit below them of all, of eight in a byte
    const more = bits - 8, upper = numbers(bytes, "int8", at, length), each = Math.ceil(length / 8);
    const below = numbers(bytes, "uint8", at + length, more * each), found = Float32Array.from(upper, (value) => value * 2 ** more);
    for (let bit = 0; bit < more; bit++) for (let u = 0; u < length; u++) found[u] += (below[bit * each + (u >> 3)] >> (u & 7) & 1) << bit;
    return found;
  };
  const finite = (data) => { if (!data.every(Number.isFinite)) throw new Error(INFINITE); return data; };
  const tensor = (bytes, { shape, type, at, scales }) => {
    const length = count(shape);
    let data = /^int\d+$/.test(type) ? whole(bytes, at, length, Number(type.slice(3))) : numbers(bytes, type, at, length);
    if (scales !== undefined) {
      const factors = numbers(bytes, "float32", scales, shape[0]), each = length / shape[0], levels = data;
      data = new Float32Array(length);
      for (let u = 0; u < length; u++) data[u] = levels[u] * factors[u / each | 0];
    }
    return { shape, data: finite(data) };
  };
  const samples = (block, bytes) => { // those to begin with, each as it is stored
    const length = count(block.input.shape);
    return block.samples.map((sample, place) =>
      ({ ...sample, values: numbers(bytes, block.stored, place * length * KINDS[block.stored].BYTES_PER_ELEMENT, length) }));
  };

  // --- the network
  const read = (block, bytes, changes = new Uint8Array()) => {
    const weights = {}, held = {}, { input, looks = [] } = block, size = count(input.shape);
    for (const [name, place] of Object.entries(block.tensors)) weights[name] = tensor(bytes, place);
    const ends = Object.entries(weights).map(([name, { data }]) => [name, data.slice()]);
    const look = (n) => { // from now on its weights are those of this look: of the last one, and what changed back to it
      for (const [name, data] of ends) weights[name].data.set(data);
      for (const { tensors } of looks.slice(n, -1).reverse())
        for (const [name, { type, at, by }] of Object.entries(tensors)) {
          if (!weights[name]) throw new Error(CHANGED);
          const { data } = weights[name], found = numbers(changes, type, at, data.length);
          for (let u = 0; u < data.length; u++) data[u] = by ? data[u] + by * found[u] : found[u];
          finite(data);
        }
    };
    look(0); // what was changed by hand is told at once
    look(looks.length - 1);
    held.input = { shape: input.shape, data: new Float32Array(size) };
    const work = block.program.map((step) => {
      const { op, name, shape, from } = step, given = step.with ?? {}, own = (step.weights ?? []).map((key) => weights[key]);
      const made_of = from.map((source) => held[source]), shares = op === "reshape" || op === "constant";
      if ((!shares && !Object.hasOwn(OPERATIONS, op)) || own.includes(undefined) || made_of.includes(undefined)) throw new Error(UNKNOWN);
      const data = !shares ? new Float32Array(count(shape)) : op === "reshape" ? made_of[0].data : own[0].data;
      if (data.length !== count(shape)) throw new Error(CHANGED);
      held[name] = { shape, data };
      return shares ? null : () => OPERATIONS[op](held[name], made_of, given, own);
    });
    const channel = size / (input.shape.length > 1 ? input.shape[0] : size);
    const one = (list, place) => list[list.length > 1 ? Math.floor(place / channel) : 0];
    const { over = 1, mean = [0], std = [1] } = input, last = block.program.at(-1).name;
    const run = (values) => {
      if (values.length !== size) throw new Error(CHANGED);
      for (let u = 0; u < size; u++) held.input.data[u] = (values[u] / over - one(mean, u)) / one(std, u);
      for (const act of work) act?.();
      return { maps: held, logits: held[last].data };
    };
    // What one number of a convolution or a pool is made of, of the last run: its window in the layer before.
    const window = (name, filter, position) => {
      const step = block.program.find((each) => each.name === name), { op } = step, given = step.with ?? {};
      const from = step.from[0], x = held[from], out = held[name], [weight, bias] = (step.weights ?? []).map((key) => weights[key]);
      const size = op === "convolution" ? weight.shape.slice(2) : given.size, dilation = given.dilation ?? size.map(() => 1);
      const each = op === "convolution" ? weight.shape[1] : 1;
      const first = op === "convolution" ? Math.floor(filter * given.groups / out.shape[0]) * each : filter;
      const start = position.map((place, axis) => place * given.stride[axis] - given.padding[axis]), whole = count(x.shape.slice(1)), area = count(size);
      const seen = seenFrom(x, size, { ...given, dilation }, position);
      const values = Float32Array.from({ length: each * area }, (_, n) => seen[n % area] < 0 ? 0 : x.data[(first + Math.floor(n / area)) * whole + seen[n % area]]);
      const places = steps(out.shape), at = [filter, ...position].reduce((sum, place, axis) => sum + place * places[axis], 0);
      const kernel = op === "convolution" ? weight.data.slice(filter * values.length, (filter + 1) * values.length) : null;
      const products_sum = kernel?.reduce((sum, factor, u) => sum + factor * values[u], 0);
      return { from, channels: [first, each], start, size, dilation, values, kernel, products_sum, bias: bias?.data[filter] ?? 0, out: out.data[at] };
    };
    // By how much the logit of a class grows with each number of these steps, of the last run.
    const gradients = (k, names) => {
      const behind = new Set(names), gains = { [last]: Float64Array.from(held[last].data, (_, n) => +(n === k)) };
      for (const { name, from } of block.program) if (from.some((source) => behind.has(source))) behind.add(name);
      for (const { op, name, from, with: given = {}, weights: own = [] } of block.program.toReversed()) {
        if (!gains[name] || !from.some((source) => behind.has(source))) continue;
        if (!BACK[op]) throw new Error(UNKNOWN);
        const found = BACK[op](gains[name], from.map((source) => held[source]), given, own.map((key) => weights[key]), held[name]);
        from.forEach((source, n) => { gains[source] = gains[source]?.map((one, u) => one + found[n][u]) ?? found[n]; });
      }
      return Object.fromEntries(names.map((name) => [name, gains[name] ?? new Float64Array(held[name].data.length)]));
    };
    const activation = (k, name) => { // where a class is seen: maps weighted by their mean gradient, added, cut at zero (Grad-CAM)
      const { shape: [channels], data } = held[name], size = data.length / channels, gain = gradients(k, [name])[name], found = new Float64Array(size);
      for (let channel = 0; channel < channels; channel++) {
        let weight = 0;
        for (let u = channel * size; u < (channel + 1) * size; u++) weight += gain[u] / size;
        for (let u = 0; u < size; u++) found[u] += weight * data[channel * size + u];
      }
      return found.map((one) => Math.max(0, one));
    };
    const facts = block.program.map(({ op, name, shape, from }) => ({ op, name, shape, from }));
    return { steps: facts, shown: block.shown, weights, look, run, window, gradients, activation };
  };
  const softmaxed = (logits) => { // probabilities
    const most = Math.max(...logits), each = Array.from(logits, (logit) => Math.exp(logit - most)), sum = each.reduce((a, b) => a + b, 0);
    return each.map((one) => one / sum);
  };
  const NEAR = 1e-3; // of the logits' range: so far from torch's is the same
  const check = async (network, given) => { // how many of the samples it answers as torch does; the page may do other things in between
    const all = given.flatMap((sample) => sample.logits), range = Math.max(...all) - Math.min(...all) || 1, off = [];
    for (const sample of given) {
      const { logits } = network.run(sample.values);
      off.push(Math.max(...sample.logits.map((logit, place) => Math.abs(logit - logits[place]))) / range);
      await new Promise((onward) => setTimeout(onward));
    }
    return { n: given.length, same: off.filter((one) => one <= NEAR).length, off: Math.max(0, ...off) };
  };

  // --- texts as tokens, as cnnatomy.data.tokenising has them
  const PICTURE = "\\u231a-\\u23ff\\u25fd\\u25fe\\u2600-\\u27bf\\u2b05-\\u2b55\\u{1f000}-\\u{1f1e5}\\u{1f200}-\\u{1f3fa}\\u{1f400}-\\u{1faff}";
  const SIGN = "#*0-9\\u00a9\\u00ae\\u203c\\u2049\\u2122\\u2139\\u2194-\\u21aa\\u25aa-\\u25fc\\u2934\\u2935\\u3030\\u303d\\u3297\\u3299";
  const ONE = `(?:[${PICTURE}]\\ufe0f?|[${SIGN}]\\ufe0f)[\\u{1f3fb}-\\u{1f3ff}]?`;
  const EMOJI = `[\\u{1f1e6}-\\u{1f1ff}]{2}|[#*0-9]\\ufe0f?\\u20e3|${ONE}(?:[\\u{e0020}-\\u{e007e}]+\\u{e007f})?(?:\\u200d${ONE})*`;
  const UNSPACED = "\\u2e80-\\u2fdf\\u3005-\\u3007\\u3021-\\u3029\\u3031-\\u3035\\u3038-\\u303b\\u3041-\\u3096\\u309d-\\u309f\\u30a1-\\u30fa"
    + "\\u30fc-\\u30ff\\u3105-\\u312f\\u31a0-\\u31bf\\u31f0-\\u31ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\u{1b000}-\\u{1b16f}\\u{20000}-\\u{323af}"
    + "\\u0e01-\\u0e30\\u0e32\\u0e33\\u0e40-\\u0e46\\u0e81-\\u0eb0\\u0eb2\\u0eb3\\u0ebd-\\u0ec6\\u0edc-\\u0edf"
    + "\\u1000-\\u102a\\u103f\\u1050-\\u1055\\u105a-\\u105d\\u1061\\u1065-\\u1066\\u106e-\\u1070\\u1075-\\u1081\\u108e"
    + "\\ua9e0-\\ua9e4\\ua9e6-\\ua9ef\\ua9fa-\\ua9fe\\uaa60-\\uaa76\\uaa7a\\uaa7e\\uaa7f\\u1780-\\u17b3\\u17d7\\u17dc";
  const LETTER = "\\p{L}\\p{N}_", STACKING = "[\\u1039\\u17d2]", JOINING = "[\\u094d\\u09cd\\u0acd\\u0b4d\\u0c4d\\u0d4d]";
  const WORD = `[${LETTER}][${LETTER}\\p{M}\\u200c\\u200d]*`, ENDS = `(?![${LETTER}])`;
  const pattern = (text) => new RegExp(text, "gu");
  const PATTERNS = {
    word: pattern(`${EMOJI}|${WORD}(?=n't${ENDS})|n't${ENDS}|'(?:s|re|ve|ll|d|m)${ENDS}|${WORD}|[!?.,()…。、।॥؟،]`),
    character: pattern(`${EMOJI}|[^\\s\\u0000-\\u001f\\u007f-\\u009f\\p{M}\\u200b-\\u200d]\\p{M}*(?:(?:(?<=${JOINING})\\u200d?|(?<=${STACKING}))[${LETTER}]\\p{M}*)*`),
    unspaced: pattern(`[${UNSPACED}]\\p{M}*(?:(?<=${STACKING})[${LETTER}]\\p{M}*)*`),
    emoji: pattern(EMOJI),
    wide: pattern("[\\u3000\\uff01-\\uffee]+"),
    unseen: pattern(`[\\u00ad\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2060\\u2066-\\u2069\\ufeff]|\\u200c(?![${LETTER}])`),
  };
  const tokenise = (text, way) => {
    const { word, character, unspaced, emoji, wide, unseen } = PATTERNS;
    let given = text.toLowerCase().replaceAll("’", "'").normalize("NFC");
    given = given.replace(wide, (one) => one.normalize("NFKC")).replace(unseen, "");
    if (way === "characters") return given.trim().replace(/\s+/gu, "␣").match(character) ?? [];
    given = given.replace(emoji, " $& ");
    if (way === "auto") given = given.replace(unspaced, " $& ");
    return given.match(word) ?? [];
  };
  const encode = (block, text) => { // tokens, which of them the network knows, and what it takes of them
    const { vocabulary, way, shape } = block.input, tokens = tokenise(text, way).slice(0, shape[0]);
    const ids = tokens.map((token) => { const place = vocabulary.indexOf(token, 2); return place < 0 ? 1 : place; });
    return { tokens, known: ids.map((id) => id > 1), values: Int32Array.from({ length: shape[0] }, (_, place) => ids[place] ?? 0) };
  };

  const unpacked = async (packed) => {
    const text = atob(packed), bytes = new Uint8Array(text.length);
    for (let u = 0; u < bytes.length; u++) bytes[u] = text.charCodeAt(u);
    return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
  };
  const open = async (element) => { // what a page's element holds: the block, its network, its samples
    const { given, weights, inputs, changes } = element.dataset;
    const block = JSON.parse(new TextDecoder().decode(await unpacked(given)));
    const network = read(block, await unpacked(weights), changes ? await unpacked(changes) : undefined);
    return { block, network, samples: samples(block, await unpacked(inputs)) };
  };
  return { OPERATIONS, BACK, read, samples, open, unpacked, check, tokenise, encode, softmax: softmaxed };
})();
