// The order of the squad: groups first, then what it is sorted by; and whom to see first.

/** First to last: red flags, knees that hurt, what has a priority, what has too little for one. */
const GROUPS = ["refer", "current_pain", "scored", "low_information", "refused"];
/** As the service names them; an athlete's first red flag is the most urgent. */
const URGENCIES = ["emergency", "urgent", "routine"];

/** Which of the groups an athlete is in. */
export function groupOf({ summary }) {
  if (!summary) return "refused";
  if (summary.status === "refer") return "refer";
  if (summary.hurting.length) return "current_pain";
  return summary.status === "low_information" ? "low_information" : "scored";
}

/** Risk points that can change, both knees together; null where there is no risk to change. */
export function priority(athlete) {
  const points = Object.values(athlete.summary?.modifiablePoints ?? {});
  if (!points.length || groupOf(athlete) === "refer") return null;
  return points.reduce((sum, x) => sum + x, 0);
}

const riskOf = (knee) => (athlete) => {
  const risks = athlete.summary?.risks;
  return risks?.[knee]?.probability ?? risks?.either?.probability ?? null;
};
const lowerCase = (words) => words?.toLocaleLowerCase("en") ?? null;

/** What the squad can be sorted by, and whether the highest comes first. */
export const SORT_KEYS = {
  name: { keyOf: ({ name }) => lowerCase(name), isDescending: false },
  right: { keyOf: riskOf("right"), isDescending: true },
  left: { keyOf: riskOf("left"), isDescending: true },
  pattern: {
    keyOf: ({ summary }) => summary?.patterns[0]?.probability ?? null,
    isDescending: true,
  },
  next: { keyOf: ({ summary }) => lowerCase(summary?.nextTest?.label), isDescending: false },
  priority: { keyOf: priority, isDescending: true },
};

const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b, "en") : a - b);

/** The athletes in an order; red flags stay on top in each, and what has no key comes last. */
export function sorted(athletes, sortKey, isDescending = SORT_KEYS[sortKey].isDescending) {
  const direction = isDescending ? -1 : 1;
  const entries = athletes.map((athlete) => ({
    athlete,
    key: SORT_KEYS[sortKey].keyOf(athlete),
    group: groupRank(athlete, sortKey),
    urgency: urgencyRank(athlete),
  }));
  return entries
    .sort(
      (a, b) =>
        a.group - b.group ||
        a.urgency - b.urgency ||
        (a.key === null) - (b.key === null) ||
        (a.key === null ? 0 : direction * compare(a.key, b.key)) ||
        a.athlete.line - b.athlete.line,
    )
    .map(({ athlete }) => athlete);
}

function groupRank(athlete, sortKey) {
  const group = groupOf(athlete);
  if (sortKey === "priority") return GROUPS.indexOf(group);
  return group === "refer" ? 0 : 1;
}

const urgencyRank = (athlete) =>
  groupOf(athlete) === "refer" ? URGENCIES.indexOf(athlete.summary.flags[0].urgency) : 0;

export const sportOf = ({ body }) => body.athlete?.sport ?? "";

const hasStatus = (athlete, status) =>
  status === "outside"
    ? athlete.summary?.status === "out_of_population"
    : groupOf(athlete) === status;

/** The athletes that pass the filters, in the chosen order. */
export function filtered({ athletes, sortKey, isDescending, sport, status }) {
  const passing = athletes.filter(
    (athlete) => (!sport || sportOf(athlete) === sport) && (!status || hasStatus(athlete, status)),
  );
  return sorted(passing, sortKey, isDescending);
}

/** The ids of those to see first, of the athletes that are shown. */
export function toSeeFirst(team) {
  const scored = sorted(filtered(team), "priority").filter(({ summary }) => summary);
  return new Set(scored.slice(0, team.capacity).map(({ id }) => id));
}
