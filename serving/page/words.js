// Every text of the page that the service does not give, and how numbers are written.

const round = (digits) =>
  new Intl.NumberFormat("en", { maximumFractionDigits: digits, useGrouping: false });
const ROUND = [0, 1, 2, 3].map(round);
const minus = (text) => text.replace("-", "−");

/** A measured value: as many digits as a reading has. */
export function value(x) {
  const size = Math.abs(x);
  return minus(ROUND[size >= 100 ? 0 : size >= 10 ? 1 : 2].format(x));
}

/** A number with at most so many decimals. */
export const fixed = (x, digits) => minus(ROUND[digits].format(x));

/** Risk points with their sign. */
export function points(x) {
  const text = Math.abs(x).toFixed(1);
  return text === "0.0" ? "0.0" : (x > 0 ? "+" : "−") + text;
}

/** So many in 100, for a probability. */
export function in100(p) {
  const x = 100 * p;
  if (x < 0.5) return "<1";
  if (x > 99.5) return ">99";
  return String(Math.round(x));
}

export const interval = ([low, high]) => `${in100(low)} to ${in100(high)}`;

const UNITS = {
  deg: "°", ratio: "", grade: "grade", "sessions/week": "a week", "steps/min": "/min",
  "h/week": "h/week", "h/day": "h/day", episodes: "", "of 10": "of 10",
};
export const unit = (name) => (name == null ? "" : (UNITS[name] ?? name));
/** A value with its unit, such as 8.6° or 1.86 Nm/kg. */
export function withUnit(x, name) {
  if (typeof x !== "number") return choice(x);
  const told = unit(name);
  return told === "°" ? `${value(x)}°` : told ? `${value(x)} ${told}` : value(x);
}

const CHOICES = {
  none: "None", over_12_months_ago: "Over 12 months ago", within_12_months: "Within 12 months",
  isokinetic_60: "Isokinetic, 60°/s", single_leg_squat: "Single-leg squat", drop_jump: "Drop jump",
  step_landing: "Step landing", unspecified: "Not stated", general: "General fitness",
  anterior: "At the front", lateral: "On the outside", medial: "On the inside",
  posterior: "At the back", diffuse: "All over",
};
export function choice(code) {
  const plain = String(code).replaceAll("_", " ");
  return CHOICES[code] ?? plain[0].toUpperCase() + plain.slice(1);
}

export const SIDES = ["right", "left"];
export const SIDE = { right: "Right", left: "Left", either: "Either" };

// In the order in which a coach walks through them; a station that is not named here comes last.
export const STATIONS = {
  athlete: ["Athlete", "Age and sex are needed. Everything else may be left out."],
  history: ["History", "Asked, not measured. Right comes first everywhere, as the athlete faces you."],
  log: ["Training log", "From the watch or a diary."],
  wall: ["Wall", "Tape measure, phone inclinometer, your eyes."],
  table: ["Table", "Dynamometer fixed by a strap, best of three; phone inclinometer for angles."],
  groin: ["Groin", "Optional. It can settle the adductor pattern; it hardly moves the risk."],
  camera: ["Camera", "Phone on a tripod at hip height."],
  lab: ["Lab", "EMG, isokinetic device, motion capture."],
};

const PEOPLE = {
  running: ["a typical runner", "runners"], basketball: ["a typical basketball player", "basketball players"],
  volleyball: ["a typical volleyball player", "volleyball players"],
  football: ["a typical football player", "football players"],
  weightlifting: ["a typical weightlifter", "weightlifters"], general: ["a typical active adult", "active adults"],
};
export const people = (sport) => PEOPLE[sport]?.[1] ?? "athletes";
export const typicalOne = (sport) => PEOPLE[sport]?.[0] ?? "a typical athlete";

export const BAND = {
  below: "Lower than usual", near: "Typical", above: "Raised", well_above: "More than twice the usual",
};
export const BAND_RULE = {
  below: "below 0.75 times the base rate", near: "0.75 to 1.25 times the base rate",
  above: "1.25 to 2 times the base rate", well_above: "over 2 times the base rate",
};
export const raised = (band) => band === "above" || band === "well_above";

const OUTCOME = {
  new_pain: ["gets", "get", "new pain in", "New knee pain"],
  present_pain: ["has", "have", "pain now in", "Knee pain now"],
  past_injury: ["has had", "have had", "an injury of", "A knee injury in the past"],
};
export const outcome = (risk) => {
  const [one, many, what, title] = OUTCOME[risk.outcome_kind] ?? ["has", "have", "the outcome in", "The outcome"];
  const when = risk.horizon_months ? ` within ${risk.horizon_months} months` : "";
  return { one, many, what, title, when };
};

export const PATTERN = {
  clear: "Clear pattern", possible: "Possible", not_supported: "Not supported", cannot_tell: "Can’t tell",
};
const SITES = {
  anterior: "at the front of the knee", lateral: "on the outside of the knee",
  medial: "on the inside of the knee", posterior: "at the back of the knee", diffuse: "around the knee",
};
export const site = (code) => SITES[code] ?? code;

export const GRADE = {
  high: ["High", "Several good trials or cohorts agree."],
  moderate: ["Moderate", "Good studies, with some doubt."],
  low: ["Low", "Small or cross-sectional studies, or expert habit."],
  very_low: ["Very low", "Expert habit."],
};

export const STATUS = {
  current_pain: "A knee that hurts now has no risk of new pain. Patterns, advice and follow-up still answer.",
  out_of_population: "Outside what the model has seen. Read the numbers with care.",
  low_information: "Not enough measured to say more than age, sex and sport alone.",
};

export const EQUIPMENT = {
  none: "nothing", tape_or_phone: "tape measure or phone", dynamometer: "dynamometer",
  isokinetic: "isokinetic device", emg: "EMG unit", gait_lab: "gait lab",
};

export const list = (parts) =>
  parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;

const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
const SHORT = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const asDate = (iso) => new Date(`${iso}T00:00:00Z`);
export const day = (iso) => (Number.isNaN(asDate(iso).getTime()) ? iso : DAY.format(asDate(iso)));
export const shortDay = (iso) => (Number.isNaN(asDate(iso).getTime()) ? iso : SHORT.format(asDate(iso)));
