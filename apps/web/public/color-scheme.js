// Sets the theme before the first paint; a file of its own because the page allows no inline script.
(function () {
  var kept = null;
  try {
    kept = localStorage.getItem("weathervane-theme");
  } catch {
    // Storage may be forbidden; the system's preference decides then.
  }
  var dark = kept === "dark" || (kept !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
