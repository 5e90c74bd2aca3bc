// Before anything is painted: light or dark, as the person chose here, if at all.
try {
  const stored = localStorage.getItem("kneerisk.theme");
  if (stored === "light" || stored === "dark") document.documentElement.dataset.theme = stored;
} catch {
  // A browser that stores nothing shows the system's scheme.
}
