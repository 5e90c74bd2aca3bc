// What the squad shows of an answer, and the order in which it shows it.
import { hurts, knees } from "../knees.js";

/** First to last: red flags, knees that hurt, what has a priority, what has too little for one. */
const GROUPS = ["refer", "current_pain", "scored", "low_information", "refused"];

/**
 * The part of an answer that the squad shows; the whole of it is some 40 kB for each athlete.
 *
 * `change` has, for each knee, the risk points (of 100) that come from measures that can change and
 * lie on the side that raises the risk: the risk times the share of it that can change, so never
 * more than the risk.
 */
export function summary(answer) {
  const { risk } = answer, shown = knees(risk), change = {};
  for (const knee of shown.filter((one) => risk[one])) {
    const raising = answer.drivers.filter((d) => d.side === knee && d.modifiable && d.points > 0);
    change[knee] = Math.min(raising.reduce((sum, d) => sum + d.points, 0), 100 * risk[knee].probability);
  }
  const order = { clear: 0, possible: 1 };
  const patterns = (answer.imbalances ?? []).filter((one) => one.status in order)
    .sort((a, b) => order[a.status] - order[b.status] || b.probability - a.probability);
  return {
    status: risk.status, knees: shown, reasons: risk.reasons.map(({ code, message }) => ({ code, message })),
    hurts: ["right", "left"].filter((side) => hurts(answer, side)),
    flags: answer.red_flags.map(({ reason, when, act, urgency }) => ({ reason, when, act, urgency })),
    asked: answer.red_flags_status !== "not_asked",
    risks: Object.fromEntries(shown.filter((one) => risk[one]).map((one) => [one, risk[one]])),
    base: risk.base_rate, kind: risk.outcome_kind, horizon: risk.horizon_months,
    patterns: patterns.map(({ side, name, label, probability, status }) => ({ side, name, label, probability, status })),
    open: (answer.imbalances ?? []).filter((one) => one.status === "cannot_tell").length, judged: answer.imbalances?.length ?? 0,
    next: answer.next_tests[0] ? { label: answer.next_tests[0].label, minutes: answer.next_tests[0].minutes, equipment: answer.next_tests[0].equipment } : null,
    change, raisers: raisers(answer.drivers), model: answer.model.version,
  };
}

// The two measures most of those points come from, both knees together.
function raisers(drivers) {
  const sums = {};
  for (const d of drivers.filter((one) => one.modifiable && one.points >= 0.05)) sums[d.label] = (sums[d.label] ?? 0) + d.points;
  return Object.entries(sums).sort((a, b) => b[1] - a[1]).slice(0, 2).map(([label]) => label);
}

/** Risk points that can change, both knees together; null where there is no risk to change. */
export function priority({ told }) {
  const parts = told ? Object.values(told.change) : [];
  return parts.length && group({ told }) !== "refer" ? parts.reduce((sum, x) => sum + x, 0) : null;
}

/** Which of the groups an athlete is in. */
export function group({ told }) {
  if (!told) return "refused";
  if (told.status === "refer") return "refer";
  if (told.hurts.length) return "current_pain";
  return told.status === "low_information" ? "low_information" : "scored";
}

const chance = (knee) => ({ told }) => told?.risks[knee]?.probability ?? told?.risks.either?.probability ?? null;
const text = (what) => (one) => what(one)?.toLocaleLowerCase("en") ?? null;

/** What the squad can be sorted by: its title, the key, and whether the highest comes first. */
export const ORDERS = {
  name: { title: "Athlete", key: text((one) => one.name), falling: false },
  right: { title: "Right knee", key: chance("right"), falling: true },
  left: { title: "Left knee", key: chance("left"), falling: true },
  pattern: { title: "Likely imbalance", key: ({ told }) => told?.patterns[0]?.probability ?? null, falling: true },
  next: { title: "Next test", key: text(({ told }) => told?.next?.label), falling: false },
  priority: { title: "Priority", key: priority, falling: true },
};

const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b, "en") : a - b);

/** The athletes in an order; red flags stay on top in each, and what has no key comes last. */
export function sorted(athletes, by, falling = ORDERS[by].falling) {
  const { key } = ORDERS[by], turn = falling ? -1 : 1;
  const place = (one) => (by === "priority" ? GROUPS.indexOf(group(one)) : group(one) === "refer" ? 0 : 1);
  const urgency = (one) => (group(one) === "refer" ? one.told.flags[0].urgency : "");
  return athletes.map((one) => ({ one, key: key(one), place: place(one) })).sort((a, b) =>
    a.place - b.place ||
    soonest(urgency(a.one)) - soonest(urgency(b.one)) ||
    (a.key === null) - (b.key === null) ||
    (a.key === null ? 0 : turn * compare(a.key, b.key)) ||
    a.one.line - b.one.line).map(({ one }) => one);
}

// As the service names them; an athlete's first red flag is the soonest.
const SOONEST = ["emergency", "urgent", "routine"];
const soonest = (urgency) => SOONEST.indexOf(urgency);

export const sportOf = (one) => one.body.athlete?.sport ?? "";
const isOf = (one, status) => (status === "outside" ? one.told?.status === "out_of_population" : group(one) === status);

/** The athletes that the filters leave, in the order that is chosen. */
export function shown(team) {
  const { athletes, by, falling, sport, status } = team;
  const kept = athletes.filter((one) => (!sport || sportOf(one) === sport) && (!status || isOf(one, status)));
  return sorted(kept, by, falling);
}

/** Those to see first, of the athletes that are shown. */
export function today(team) {
  const first = sorted(shown(team), "priority").filter((one) => one.told);
  return new Set(first.slice(0, team.see).map((one) => one.id));
}
