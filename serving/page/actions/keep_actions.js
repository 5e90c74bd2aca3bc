// What happens where an answer is kept in the club's records.
import { emptyClub } from "../club/club_state.js";
import { keepScreening } from "../lib/club_records.js";
import { storeClubKey, storeDraft } from "../lib/local_storage.js";
import { draw, state } from "../lib/state.js";
import { text } from "../lib/texts.js";

function update(changes) {
  Object.assign(state.club, changes);
  draw();
}

const sameRequest = (sending, asked) =>
  sending && Object.keys(asked).every((name) => sending[name] === asked[name])
    ? sending.idempotencyKey
    : null;

// Without a secure origin there is no `randomUUID`.
const newKey = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;

export const keepActions = {
  setAthleteId(typed) {
    state.draft.athleteId = typed.trim();
    storeDraft(state.draft);
    update({ keepProblem: "" });
  },
  async keepAnswer() {
    const { draft, body, club } = state;
    const asked = { athlete: draft.athleteId, date: draft.date, body: JSON.stringify(body) };
    // Pressed again after a failure on the way it is the same request, and is kept once.
    const idempotencyKey = sameRequest(club.sending, asked) ?? newKey();
    update({ isKeeping: true, keepProblem: "", sending: { ...asked, idempotencyKey } });
    try {
      const answerId = await keepScreening(body, { ...asked, idempotencyKey });
      update({ isKeeping: false, sending: null, kept: { ...asked, answerId } });
    } catch (error) {
      if (error.status === 401) {
        storeClubKey(null);
        state.club = emptyClub();
      }
      const keepProblem = text("club.keep.failed", { reason: error.message });
      update({ isKeeping: false, keepProblem });
    }
  },
};
