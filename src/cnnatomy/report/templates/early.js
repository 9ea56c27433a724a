// Before the first paint: that scripts run, and the theme and the language that were chosen here before.
{
  const root = document.documentElement;
  root.classList.add("js");
  let theme = null, language = null;
  try {
    theme = localStorage.getItem("cnnatomy-theme");
    language = localStorage.getItem("cnnatomy-language");
  } catch { /* storage is closed to pages from disk in some browsers */ }
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  const there = root.dataset.languages.split(" "), wanted = language ?? navigator.language;
  const same = (one) => one.split("-")[0] === wanted.split("-")[0];
  root.lang = there.find((one) => one === wanted) ?? there.find(same) ?? there[0];
}
