// Calculators: what formulas such as ["+", 1, ["*", 2, "padding"]] make of the numbers that are typed.
{
  const operations = {
    "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "//": (a, b) => Math.floor(a / b),
    max: (a, b) => Math.max(a, b),
  };
  const evaluate = (formula, known) => Array.isArray(formula)
    ? formula.slice(1).map((part) => evaluate(part, known)).reduce((a, b) => operations[formula[0]](a, b))
    : known[formula] ?? formula;
  const plain = (value) => (Math.abs(value) < 1e4 ? `${value}` : `${value}`.replace(/\B(?=(\d{3})+$)/g, ",")).replace("-", "−");
  const prepareCalculator = (calculator) => {
    const entries = all("input", calculator), complaint = one(".complaint", calculator);
    const count = () => {
      const known = {}, wrong = entries.filter((entry) => !entry.validity.valid);
      for (const entry of entries) {
        known[entry.name] = entry.valueAsNumber;
        entry.setAttribute("aria-invalid", wrong.includes(entry));
      }
      complaint.replaceChildren(...wrong.flatMap(({ labels, min, max }) => [
        make("bdi", {}, ...one("span", labels[0]).cloneNode(true).childNodes),
        ...tell(": give a whole number from {least} to {most}. ", { least: plain(min), most: plain(max) }),
      ]));
      for (const result of all("[data-formulas]", calculator)) {
        const values = JSON.parse(result.dataset.formulas).map((formula) => evaluate(formula, known));
        if (values.length === 1) known[result.dataset.name] = values[0];
        const number = one(".value", result), zero = one(".zero", result);
        number.textContent = wrong.length ? "–" : values.map(plain).join(" × ");
        if (zero) zero.hidden = !(number.hidden = !wrong.length && values.includes(0)); // said instead of 0 × 0
      }
    };
    for (const entry of entries) {
      entry.readOnly = false;
      entry.addEventListener("input", count);
    }
    count();
  };
  preparing.push((exhibit) => { for (const calculator of all(".calculator", exhibit)) prepareCalculator(calculator); });
}
