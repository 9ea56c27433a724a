// Now that it is known what there is to do.
{
  const near = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) { prepare(target); near.unobserve(target); }
  }, { rootMargin: "150% 0px" });
  for (const exhibit of waiting) near.observe(exhibit);
  const idle = window.requestIdleCallback ?? ((work) => setTimeout(() => work({ timeRemaining: () => 1 }), 50));
  const onward = (deadline) => {
    for (const exhibit of waiting) {
      prepare(exhibit);
      if (deadline.timeRemaining() < 5) break;
    }
    if (waiting.size) idle(onward);
  };
  addEventListener("load", () => idle(onward));
  const prepareForPaper = () => { if (!root.classList.contains("printing-one")) prepareAll(); };
  addEventListener("beforeprint", prepareForPaper);
  matchMedia("print").addEventListener("change", ({ matches }) => { if (matches) prepareForPaper(); });
  document.addEventListener("focusin", (event) => prepare(event.target.closest(".exhibit, .made-of")), { capture: true });
}

// A page that grows: loaded again in place.
{
  const growing = one("#growing");
  if (growing) setTimeout(() => location.reload(), 1000 * growing.dataset.reload);
}
