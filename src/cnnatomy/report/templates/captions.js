// On paper nothing of a caption is folded away; browsers that know ::details-content need no help.
{
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = all(".more:not([open])");
    for (const fold of opened) fold.open = true;
  });
  addEventListener("afterprint", () => { for (const fold of opened) fold.open = false; });
}
