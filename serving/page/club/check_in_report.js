// From the answers of a weekly check to the outcomes that are sent, and to what was kept in words.
//
// Pain that was there before is not new, and one whose beginning nobody knows is no event: the
// check-in alone tells of it, and follow-up of that knee ends there.
import { SIDES } from "../lib/wording.js";
import { hadPain } from "./knee_history.js";

export const emptyAnswers = () => ({ hurts: [], began: {}, training: "", signs: [] });

/** "Neither" stands beside no side: whichever is pressed last holds. */
export function toggled(chosen, code) {
  if (chosen.includes(code)) return chosen.filter((other) => other !== code);
  if (code === "neither") return [code];
  return [...chosen.filter((other) => other !== "neither"), code];
}

const isNamed = (code) => SIDES.includes(code);

/** The knees that hurt now and did not when they were last told of: how it began is asked. */
export const newlyHurting = ({ answers, trouble }) =>
  answers.hurts.filter((side) => isNamed(side) && !trouble[side]);

const anyTrouble = ({ hurts, signs }) => [...hurts, ...signs].some(isNamed);

/** The questions that wait for an answer. */
export function unanswered(check) {
  const { answers } = check;
  return [
    answers.hurts.length ? null : "hurts",
    ...newlyHurting(check).map((side) => (answers.began[side] ? null : `began-${side}`)),
    anyTrouble(answers) && !answers.training ? "training" : null,
    answers.signs.length ? null : "signs",
  ].filter(Boolean);
}

/** The answers that "nothing new" stands for: what troubled still does. */
export const asBefore = ({ trouble }) => ({
  ...emptyAnswers(),
  hurts: SIDES.some((side) => trouble[side]) ? SIDES.filter((side) => trouble[side]) : ["neither"],
  signs: ["neither"],
});

/** The outcomes to send. */
export function outcomesOf(check) {
  const { athlete, period } = check;
  const days = { athlete, first_day: period.first, last_day: period.last };
  const events = SIDES.map((side) => eventOf(side, check, days)).filter(Boolean);
  return [...merged(events), ...checkIns(check, days)];
}

const troubles = (side, { hurts, signs }) => hurts.includes(side) || signs.includes(side);

function checkIns({ answers }, days) {
  const row = (side, isTroubled) => {
    const isSubstantial = isTroubled && answers.training ? answers.training === "much_less" : null;
    return {
      ...days,
      kind: "check_in",
      side,
      knee_problem: isTroubled,
      ...(isSubstantial === null ? {} : { substantial: isSubstantial }),
    };
  };
  const [right, left] = SIDES.map((side) => troubles(side, answers));
  return right === left ? [row("both", right)] : [row("right", right), row("left", left)];
}

/** What to send of the event that a knee had, or has now; null where there is nothing to say. */
function eventOf(side, { answers, trouble, record, period }, days) {
  const known = trouble[side]?.event;
  if (known) {
    const state = answers.hurts.includes(side)
      ? { last_reported: period.last }
      : { free_by: period.first };
    return isOurs(known) ? { ...asSent(known, days.athlete), ...state } : null;
  }
  if (!newlyHurting({ answers, trouble }).includes(side)) return null;
  const began = answers.began[side];
  if (began === "moment") return { ...days, kind: "knee_injury", side, course: "new" };
  if (began !== "gradual") return null;
  const course = hadPain(side, record, period.first) ? "recurrence" : "new";
  return { ...days, kind: "knee_pain", side, course };
}

const SENT = ["course", "last_reported", "free_by", "severity", "days_lost", "code"];
const DERIVED = ["code_class"];

/** Whether all that is known of an event can be sent: it takes the place of what is kept. */
const isOurs = ({ details }) =>
  Object.keys(details).every((name) => [...SENT, ...DERIVED].includes(name));

const asSent = ({ kind, side, first_day: first, last_day: last, details }, athlete) => ({
  athlete,
  kind,
  side,
  first_day: first,
  last_day: last,
  ...Object.fromEntries(
    SENT.filter((name) => name in details).map((name) => [name, details[name]]),
  ),
});

// An event of both knees is one: it is over when neither hurts.
function merged(events) {
  const byPlace = new Map();
  for (const event of events) {
    const place = [event.kind, event.side, event.first_day, event.last_day].join();
    const other = byPlace.get(place);
    byPlace.set(place, other && event.free_by && !other.free_by ? other : event);
  }
  return [...byPlace.values()];
}

/** What was kept, as codes of sentences with their side. */
export function keptOf({ answers, trouble }) {
  const news = SIDES.map((side) => {
    if (answers.hurts.includes(side))
      return { code: newsOf(answers.began[side], trouble[side]), side };
    if (trouble[side] && !answers.signs.includes(side)) return { code: "over", side };
    return null;
  });
  const signs = answers.signs.filter(isNamed).map((side) => ({ code: "signs", side }));
  const all = [...news.filter(Boolean), ...signs];
  return all.length ? all : [{ code: "nothing_new" }];
}

function newsOf(began, trouble) {
  if (trouble) return "goes_on";
  return { gradual: "knee_pain", moment: "knee_injury" }[began] ?? "no_beginning";
}
