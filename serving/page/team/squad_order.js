// The order of the squad: red flags before it, those who can be ranked, and the rest with a reason.

/** First to last: before the order, in it, and after it, each of these for a reason of its own. */
const GROUPS = ["refer", "ranked", "current_pain", "low_information", "unseen", "refused"];
/** As the service names them; an athlete's first red flag is the most urgent. */
const URGENCIES = ["emergency", "urgent", "routine"];

/** Which of the groups an athlete is in. */
export function groupOf({ summary }) {
  if (!summary) return "refused";
  if (summary.status === "refer") return "refer";
  if (summary.hurting.length) return "current_pain";
  if (summary.isUnseen) return "unseen";
  return summary.isLittle ? "low_information" : "ranked";
}

/** Risk points that can change, both knees together; null where the athlete is not ranked. */
export function priority(athlete) {
  if (groupOf(athlete) !== "ranked") return null;
  const points = Object.values(athlete.summary.modifiablePoints);
  return points.reduce((sum, x) => sum + x, 0);
}

// As many digits as are shown decide: what looks equal is a tie.
const shownPriority = (athlete) => {
  const points = priority(athlete);
  return points === null ? null : Math.round(10 * points);
};

const riskOf = (knee) => (athlete) => {
  const risks = athlete.summary?.risks;
  return risks?.[knee]?.probability ?? risks?.either?.probability ?? null;
};
const highestRisk = ({ summary }) =>
  Math.max(0, ...Object.values(summary?.risks ?? {}).map(({ probability }) => probability));
const lowerCase = (words) => words?.toLocaleLowerCase("en") ?? null;

/** What the squad can be sorted by, and whether the highest comes first. */
export const SORT_KEYS = {
  priority: { keyOf: shownPriority, isDescending: true },
  name: { keyOf: ({ name }) => lowerCase(name), isDescending: false },
  right: { keyOf: riskOf("right"), isDescending: true },
  left: { keyOf: riskOf("left"), isDescending: true },
  learnt: { keyOf: ({ summary }) => summary?.learnt ?? null, isDescending: true },
};

const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b, "en") : a - b);

/**
 * The athletes in an order: groups first, then its key. Equal keys: the higher risk first, then the
 * order of the sheet. Who has no key comes last in the group.
 */
export function sorted(athletes, sortKey, isDescending = SORT_KEYS[sortKey].isDescending) {
  const direction = isDescending ? -1 : 1;
  const entries = athletes.map((athlete) => ({
    athlete,
    key: SORT_KEYS[sortKey].keyOf(athlete),
    group: GROUPS.indexOf(groupOf(athlete)),
    urgency: urgencyRank(athlete),
    risk: highestRisk(athlete),
  }));
  return entries
    .sort(
      (a, b) =>
        a.group - b.group ||
        a.urgency - b.urgency ||
        (a.key === null) - (b.key === null) ||
        (a.key === null ? 0 : direction * compare(a.key, b.key)) ||
        b.risk - a.risk ||
        a.athlete.line - b.athlete.line,
    )
    .map(({ athlete }) => athlete);
}

const urgencyRank = (athlete) =>
  groupOf(athlete) === "refer" ? URGENCIES.indexOf(athlete.summary.flags[0].urgency) : 0;

export const sportOf = ({ body }) => body.athlete?.sport ?? "";

const hasStatus = (athlete, status) =>
  status === "outside"
    ? athlete.summary?.status === "out_of_population"
    : groupOf(athlete) === status;

/** The athletes that pass the filters, in the chosen order; in the sheet's while they are scored. */
export function filtered({ athletes, sortKey, isDescending, sport, status, isBusy }) {
  const passing = athletes.filter(
    (athlete) => (!sport || sportOf(athlete) === sport) && (!status || hasStatus(athlete, status)),
  );
  return isBusy ? passing : sorted(passing, sortKey, isDescending);
}

/** The place of each ranked athlete by points that can change, whatever the list is sorted by. */
export function ranks(athletes) {
  const ranked = athletes.filter((athlete) => groupOf(athlete) === "ranked");
  return new Map(sorted(ranked, "priority").map(({ id }, i) => [id, i + 1]));
}
