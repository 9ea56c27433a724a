
// Rows of which some text or what became of them fits.
{
  const find = one(".find-row"), state = one(".find-state"), rows = all(".comparing-table tbody tr");
  const found = one(".found");
  const narrow = () => {
    const words = find.value.toLowerCase().split(" ");
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word)) || (state.value !== "" && row.dataset.state !== state.value);
    }
    found.replaceChildren(...(rows.every((row) => row.hidden) ? tell("Nothing found") : []));
  };
  if (rows.length) {
    find.addEventListener("input", narrow);
    state.addEventListener("change", narrow);
    translated(state);
    sortable(one(".comparing-table"));
  }
}
