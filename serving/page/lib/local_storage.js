// What this browser stores: the unfinished form, saved visits, whom athletes may call, light or dark;
// and until the tab is closed the squad. None of it is sent anywhere but, without the name, to the service that answers.

const KEYS = {
  draft: "kneerisk.draft",
  visits: "kneerisk.visits",
  theme: "kneerisk.theme",
  contact: "kneerisk.contact",
  squad: "kneerisk.squad",
  accessKey: "kneerisk.key",
  clubKey: "kneerisk.club_key",
  units: "kneerisk.units",
};

// Reaching for a storage that is switched off throws too.
const lasting = () => localStorage;
const ofThisTab = () => sessionStorage;

function read(key, storage = lasting) {
  try {
    return JSON.parse(storage().getItem(key));
  } catch {
    return null;
  }
}

function write(key, content, storage = lasting) {
  try {
    storage().setItem(key, JSON.stringify(content));
    return true;
  } catch {
    return false;
  }
}

export const loadKey = () => read(KEYS.accessKey, ofThisTab);
export const storeKey = (key) => write(KEYS.accessKey, key, ofThisTab);
// Where the browser stores nothing, the club's key lasts as long as the page.
let clubKey = null;
export const loadClubKey = () => clubKey ?? read(KEYS.clubKey, ofThisTab);
export function storeClubKey(key) {
  clubKey = key;
  write(KEYS.clubKey, key, ofThisTab);
}

// The units that values are typed in, and the lever arm of the dynamometer: told once.
export const loadUnits = () => ({ chosen: {}, ...read(KEYS.units) });
export const storeUnits = (units) => write(KEYS.units, units);

/** Today's date where the browser is, as YYYY-MM-DD. */
export const isoToday = () => {
  const now = new Date();
  const twoDigits = (n) => String(n).padStart(2, "0");
  return `${now.getFullYear()}-${twoDigits(now.getMonth() + 1)}-${twoDigits(now.getDate())}`;
};

export const emptyDraft = () => ({
  name: "",
  date: isoToday(),
  values: {},
  flags: [],
  cleared: false,
  equipment: null,
  units: {},
  fromLog: {},
  athleteId: "",
});

export function loadDraft() {
  const stored = read(KEYS.draft);
  const isValid = stored && typeof stored.values === "object" && Array.isArray(stored.flags);
  return isValid ? { ...emptyDraft(), ...stored } : emptyDraft();
}

export const storeDraft = (draft) => write(KEYS.draft, draft);

/** The body of a screening as the form holds it. */
export function draftOf(body) {
  const values = {};
  const collect = (table, prefix) => {
    for (const [key, entry] of Object.entries(table)) {
      if (Array.isArray(entry)) continue;
      if (typeof entry === "object" && entry !== null) collect(entry, `${prefix}${key}.`);
      else values[`${prefix}${key}`] = String(entry);
    }
  };
  collect(body, "");
  const flags = body.red_flags ?? [];
  const cleared = Array.isArray(body.red_flags) && !flags.length;
  return { ...emptyDraft(), values, flags, cleared, equipment: body.equipment ?? null };
}

// A visit: {id, name, date, draft, body}; the body is what was answered, without what was at fault.
export function loadVisits() {
  const stored = read(KEYS.visits);
  if (!Array.isArray(stored)) return [];
  return stored.filter((visit) => visit && visit.id && visit.date && visit.body && visit.draft);
}

export const storeVisits = (visits) => write(KEYS.visits, visits);

/** Whom an athlete may call: the same for every sheet that is handed out here. */
export const loadContact = () => ({ name: "", phone: "", clinic: "", ...read(KEYS.contact) });
export const storeContact = (contact) => write(KEYS.contact, contact);

/** The squad of a sheet is others' data in bulk: it goes when the tab is closed. */
export const loadSquad = () => read(KEYS.squad, ofThisTab);
export const storeSquad = (squad) => write(KEYS.squad, squad, ofThisTab);

export function storeTheme(theme) {
  try {
    localStorage.setItem(KEYS.theme, theme);
  } catch {
    // It holds until the page is closed.
  }
}

/** Remove everything that this page ever stored here; true when nothing is left. */
export function removeAll() {
  clubKey = null;
  const ownEntries = () =>
    [localStorage, sessionStorage].flatMap((storage) =>
      Object.keys(storage)
        .filter((key) => key.startsWith("kneerisk."))
        .map((key) => [storage, key]),
    );
  try {
    for (const [storage, key] of ownEntries()) storage.removeItem(key);
    return !ownEntries().length;
  } catch {
    return true;
  }
}
