// What the records say of an athlete's knees: until when, and what still troubles.

const DAY = 86_400_000;
/** A check-in is about a week, and about no more than a later report bridges (docs/records.md). */
const WEEK_DAYS = 7;
const LONGEST_DAYS = 28;
const EVENTS = ["knee_pain", "knee_injury", "surgery"];

const dateOf = (time) => new Date(time).toISOString().slice(0, 10);

/** A day so many days later. */
export const plusDays = (day, count) => dateOf(Date.parse(`${day}T00:00:00Z`) + count * DAY);

/** How many days from one to another, both counted. */
export const daysOf = ({ first, last }) => (Date.parse(last) - Date.parse(first)) / DAY + 1;

const latest = (days) => days.filter(Boolean).sort().at(-1) ?? null;
const isOf = (side) => (outcome) => [side, "both"].includes(outcome.side);
const reportedUntil = ({ last_day: last, details }) => latest([last, details.last_reported]);

/** The last day of which anybody told how the knees were. */
export const heardOf = ({ visits, outcomes }) =>
  latest([
    ...visits.map(({ day }) => day),
    ...outcomes
      .filter(({ kind }) => [...EVENTS, "check_in", "followed"].includes(kind))
      .map(reportedUntil),
  ]);

/**
 * The days that a check-in covers: since anybody told of the knees, a week where nobody did. Asked
 * again on the same day, it is about the same days.
 */
export function periodUntil(last, record) {
  const heard = heardOf(record);
  const same = record.outcomes
    .filter(({ kind, last_day: end }) => kind === "check_in" && end === last)
    .map(({ first_day: first }) => first)
    .sort();
  const next = heard && heard < last ? plusDays(heard, 1) : plusDays(last, 1 - WEEK_DAYS);
  const earliest = plusDays(last, 1 - LONGEST_DAYS);
  const first = same[0] ?? next;
  return { first: first < earliest ? earliest : first, last };
}

/**
 * What still troubles a knee before a day: an event that is not known to be over; or a check-in or
 * the newest screening that told of trouble without saying what it was. Null where nothing does.
 */
export function troubleOf(side, { outcomes, visits }, before) {
  const own = outcomes.filter(isOf(side)).filter(({ first_day: first }) => first < before);
  const checks = own.filter(({ kind }) => kind === "check_in").sort(byLastDay);
  const event = own
    .filter(({ kind }) => EVENTS.includes(kind))
    .sort(byLastDay)
    .at(-1);
  if (event && !isOver(event, checks)) return { event };
  return troubledLast(side, checks.at(-1), visits.at(-1)) ? { event: null } : null;
}

const isClean = ({ details }) => details.knee_problem === false;

const isOver = (event, checks) =>
  event.details.free_by ||
  checks.some((one) => isClean(one) && one.last_day > reportedUntil(event));

// Whatever was told last: a check-in, or a screening after it.
function troubledLast(side, check, visit) {
  if (check && !(visit?.day > check.last_day)) return !isClean(check);
  return visit?.screening.pain?.[side]?.pain_nrs > 0;
}

const byLastDay = (a, b) => a.last_day.localeCompare(b.last_day);

/** Whether a knee has had gradual pain before. */
export const hadPain = (side, { outcomes }, before) =>
  outcomes
    .filter(isOf(side))
    .some(({ kind, first_day: first }) => kind === "knee_pain" && first < before);
