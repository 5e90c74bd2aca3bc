// What this browser keeps: the unfinished form, saved visits, the scheme; and until the tab is closed
// the squad. Nothing of it is sent anywhere but, without the name, to the service that answers.

const KEYS = { draft: "kneerisk.draft", visits: "kneerisk.visits", theme: "kneerisk.theme", team: "kneerisk.team" };

// Reaching for a storage that is switched off throws too.
const lasting = () => localStorage, ofThisTab = () => sessionStorage;

function read(key, storage = lasting) {
  try {
    return JSON.parse(storage().getItem(key));
  } catch {
    return null;
  }
}

function write(key, value, storage = lasting) {
  try {
    storage().setItem(key, JSON.stringify(value));
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

/** A screening as the form holds it. */
export function draftOf(body) {
  const values = {}, walk = (at, path) => {
    for (const [key, one] of Object.entries(at)) {
      if (Array.isArray(one)) continue;
      if (typeof one === "object" && one !== null) walk(one, `${path}${key}.`);
      else values[`${path}${key}`] = String(one);
    }
  };
  walk(body, "");
  const flags = body.red_flags ?? [], cleared = Array.isArray(body.red_flags) && !flags.length;
  return { ...emptyDraft(), values, flags, cleared, equipment: body.equipment ?? null };
}

export const keepDraft = (one) => write(KEYS.draft, one);

// A visit: {id, name, date, draft, body}; the body is what was answered, without what was at fault.
export function visits() {
  const kept = read(KEYS.visits);
  return Array.isArray(kept) ? kept.filter((v) => v && v.id && v.date && v.body && v.draft) : [];
}

export const keepVisits = (all) => write(KEYS.visits, all);

/** The squad of a sheet is others' data in bulk: it goes when the tab is closed. */
export const team = () => read(KEYS.team, ofThisTab);
export const keepTeam = (one) => write(KEYS.team, one, ofThisTab);

export function dropTeam() {
  try {
    sessionStorage.removeItem(KEYS.team);
  } catch {
    // Then nothing was kept either.
  }
}

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
    const own = () => [localStorage, sessionStorage].flatMap((storage) =>
      Object.keys(storage).filter((key) => key.startsWith("kneerisk.")).map((key) => [storage, key]));
    own().forEach(([storage, key]) => storage.removeItem(key));
    return !own().length;
  } catch {
    return true;
  }
}
