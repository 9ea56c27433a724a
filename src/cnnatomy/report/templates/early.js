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
  if ((language ?? navigator.language).startsWith("zh")) root.lang = "zh-Hans";
}
