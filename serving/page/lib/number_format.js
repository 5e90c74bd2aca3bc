// How numbers, units and dates are written.
import { text, variant } from "./texts.js";

const rounding = (digits) =>
  new Intl.NumberFormat("en", { maximumFractionDigits: digits, useGrouping: false });
const FORMATS = [0, 1, 2, 3].map(rounding);
const withMinus = (number) => number.replace("-", "−");

/** A measured value: as many digits as a reading has. */
export function value(x) {
  const size = Math.abs(x);
  return withMinus(FORMATS[size >= 100 ? 0 : size >= 10 ? 1 : 2].format(x));
}

/** A number with at most so many decimals. */
export const fixed = (x, digits) => withMinus(FORMATS[digits].format(x));

/** Risk points with their sign. */
export function points(x) {
  const size = Math.abs(x).toFixed(1);
  return size === "0.0" ? "0.0" : (x > 0 ? "+" : "−") + size;
}

/** So many in 100, for a probability. */
export function in100(p) {
  const x = 100 * p;
  if (x < 0.5) return "<1";
  if (x > 99.5) return ">99";
  return String(Math.round(x));
}

/** How often in 10 a repeat would point to a pattern, in words. */
export const again = (p) => text("shared.again.sentence", { count: inTen(p) });

export function inTen(p) {
  const tenths = Math.round(10 * p);
  if (tenths === 0) return text("shared.count.under_one");
  return tenths === 10 ? text("shared.count.over_nine") : String(tenths);
}

export const interval = ([low, high]) =>
  text("shared.range", { low: in100(low), high: in100(high) });

const UNIT_SIGNS = { deg: "°", ratio: "", episodes: "", "steps/min": "/min" };

/** A unit as it is written; empty for a plain number. */
export function unit(name) {
  if (name === null || name === undefined) return "";
  return name === "sessions/week" ? text("page.unit.per_week") : (UNIT_SIGNS[name] ?? name);
}

/** A number with its unit: the degree sign follows at once, anything else after a space. */
export function numberWithUnit(x, name) {
  const sign = unit(name);
  if (sign === "°") return `${value(x)}°`;
  return sign ? `${value(x)} ${sign}` : value(x);
}

/** A value of a measure, a number with its unit or a choice in words. */
export const withUnit = (x, name) => (typeof x === "number" ? numberWithUnit(x, name) : choice(x));

/** The degree sign where the unit is degrees: for columns whose heading has other units. */
export const degreeSign = (name) => (unit(name) === "°" ? "°" : "");

/** A choice of the schema in words. */
export const choice = (code) =>
  variant("page.choice", String(code)) ?? capitalized(String(code).replaceAll("_", " "));

/** A label inside a sentence: a small letter first, but in a name of its own such as IT band. */
export const inSentence = (words) =>
  /^[A-Z][a-z]/.test(words) && !/^(Ober|Thomas)/.test(words)
    ? words[0].toLowerCase() + words.slice(1)
    : words;

/** A label without what follows its comma or colon. */
export const short = (label) => label.split(/[,:]/)[0];

export const capitalized = (words) => words[0].toUpperCase() + words.slice(1);

/** A list in a sentence: "a, b and c". */
export const list = (items) =>
  items.length < 2
    ? items.join("")
    : text("shared.list.and", { others: items.slice(0, -1).join(", "), last: items.at(-1) });

const dateFormat = (options) => {
  const format = new Intl.DateTimeFormat("en-GB", { ...options, timeZone: "UTC" });
  return (iso) => {
    const date = new Date(`${iso}T00:00:00Z`);
    return Number.isNaN(date.getTime()) ? iso : format.format(date);
  };
};
/** A date such as 2 March 2026. */
export const longDate = dateFormat({ day: "numeric", month: "long", year: "numeric" });
/** A date such as 2 Mar. */
export const shortDate = dateFormat({ day: "numeric", month: "short" });
