// The catalogue of texts, as the service sends it: looked up by dotted key, like kneerisk.words.

const catalogue = {};

/** Take over sections of the catalogue, such as `page` and `shared`. */
export function addTexts(sections) {
  Object.assign(catalogue, sections);
}

const find = (key) => key.split(".").reduce((table, name) => table?.[name], catalogue);

const fill = (entry, values) => entry.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));

/** A text with its placeholders filled. */
export function text(key, values = {}) {
  const entry = find(key);
  if (typeof entry !== "string") throw new Error(`no text for ${key}`);
  return fill(entry, values);
}

/** The one of several sibling texts that fits a case; undefined where there is none for it. */
export function variant(key, name, values = {}) {
  const entry = find(key)?.[name];
  return typeof entry === "string" ? fill(entry, values) : undefined;
}

/** The text for one of something or for several. */
export function plural(key, count, values = {}) {
  return text(`${key}.${count === 1 ? "one" : "other"}`, {
    count: count.toLocaleString("en"),
    ...values,
  });
}
