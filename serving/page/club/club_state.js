// What the page holds of a club's records while they are open: nothing of it is stored.
import { loadClubKey } from "../lib/local_storage.js";

export const emptyClub = () => ({
  isOpen: Boolean(loadClubKey()),
  isBusy: false,
  problem: "",
  list: null,
  shown: {},
  typed: "",
  check: null,
  done: null,
  report: null,
  kept: null,
  keepProblem: "",
  sending: null,
  isKeeping: false,
});

/** Whether the records hold the answer as it stands. */
export const isKept = ({ club, draft, body }) =>
  club.kept?.athlete === draft.athleteId &&
  club.kept.date === draft.date &&
  club.kept.body === JSON.stringify(body);
