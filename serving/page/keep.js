// What this browser keeps: the unfinished form, saved visits, the scheme. Nothing of it is sent
// anywhere but, without the name, to the service that answers.

const KEYS = { draft: "kneerisk.draft", visits: "kneerisk.visits", theme: "kneerisk.theme" };

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function write(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

export const today = () => {
  const now = new Date();
  const two = (n) => String(n).padStart(2, "0");
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
};

export const emptyDraft = () => ({
  name: "", date: today(), values: {}, flags: [], cleared: false, equipment: null,
});

export function draft() {
  const kept = read(KEYS.draft);
  const sound = kept && typeof kept.values === "object" && Array.isArray(kept.flags);
  return sound ? { ...emptyDraft(), ...kept } : emptyDraft();
}

export const keepDraft = (one) => write(KEYS.draft, one);

// A visit: {id, name, date, draft, body}; the body is what was answered, without what was at fault.
export function visits() {
  const kept = read(KEYS.visits);
  return Array.isArray(kept) ? kept.filter((v) => v && v.id && v.date && v.body && v.draft) : [];
}

export const keepVisits = (all) => write(KEYS.visits, all);

export function keepTheme(theme) {
  try {
    localStorage.setItem(KEYS.theme, theme);
  } catch {
    // It holds until the page is closed.
  }
}

/** Forget everything that this page ever kept here; true when nothing is left. */
export function forget() {
  try {
    Object.keys(localStorage)
      .filter((key) => key.startsWith("kneerisk."))
      .forEach((key) => localStorage.removeItem(key));
    return !Object.keys(localStorage).some((key) => key.startsWith("kneerisk."));
  } catch {
    return true;
  }
}
