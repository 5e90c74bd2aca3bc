// Before anything is painted: the scheme that the person chose here, if any.
try {
  const kept = localStorage.getItem("kneerisk.theme");
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
} catch {
  // A browser that keeps nothing shows the system's scheme.
}
