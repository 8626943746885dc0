// A classic script in <head>: sets the chosen theme before the first paint. Everything else is a module.
{
  try {
    const theme = localStorage.getItem("theme")
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme
  } catch {
    // Storage may be forbidden; the system's theme is fine then.
  }
}
