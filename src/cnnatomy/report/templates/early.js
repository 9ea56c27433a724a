// Before the first paint: that scripts run, and the theme that was chosen here before.
document.documentElement.classList.add("js");
try {
  const theme = localStorage.getItem("cnnatomy-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch { /* storage is closed to pages from disk in some browsers */ }
