// Which words mean what: the words of a sheet that the schema does not know, each to be told once.
import { choice } from "../lib/number_format.js";
import { plural, text } from "../lib/texts.js";
import { SIDES } from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";
import { columnMeaning } from "./sheet_columns.js";

/** What a select has where nothing is chosen yet; an empty value means "not recorded". */
const OPEN = "?";

export function wordQuestions(sheet, state, actions) {
  const open = sheet.columns
    .filter(({ applied, words }) => applied && words)
    .map((column) => [column, wordsToTell(column, state)])
    .filter(([, words]) => words.length);
  if (!open.length) return nothing;
  const count = open.reduce((sum, [, words]) => sum + words.length, 0);
  const line = ([column]) => wordLines(column, state, actions);
  return html`<section class="qs" aria-labelledby="h-words">
    <h3 id="h-words">${plural("page.words.heading", count)}</h3>
    <ul class="words__l">${open.flatMap(line)}</ul></section>`;
}

/** A menu for each word of a column that is not known yet, or was told here. */
export const wordLines = (column, state, actions) =>
  wordsToTell(column, state).map((word) => wordLine(column, word, state, actions));

// Unknown ones, and those that were told here, so that they can be told again.
function wordsToTell(column, { team }) {
  const told = team.mapping.columns?.[column.place]?.words ?? {};
  return column.words.filter(({ word, means }) => means === undefined || word in told);
}

function wordLine(column, { word, rows }, state, actions) {
  const told = state.team.mapping.columns?.[column.place] ?? {};
  const current = told.words?.[word] ?? OPEN;
  const id = `w-${column.place}-${word}`;
  const change = (event) => {
    const { [word]: _, ...others } = told.words ?? {};
    const chosen = event.target.value;
    const words = chosen === OPEN ? others : { ...others, [word]: chosen };
    actions.setColumns({ [column.place]: { ...told, words } });
  };
  const option = ([code, label]) =>
    html`<option value=${code} ?selected=${current === code}>${label}</option>`;
  const where = plural("page.words.in_column", rows, { column: columnMeaning(column) });
  return html`<li><label for=${id}><b>“${word}”</b> <span class="small quiet">${where}</span></label>
    <select id=${id} @change=${change}>
      ${[[OPEN, text("page.words.choose")], ...meanings(column.means, state)].map(option)}
      ${option(["", text("page.words.not_recorded")])}</select></li>`;
}

// What a word of a column may stand for; of a quantity nothing but that it was not recorded.
function meanings(means, { fieldOf, texts }) {
  if (means === "side") return SIDES.map((side) => [side, choice(side)]);
  if (means === "red_flags") {
    const none = ["none", text("page.words.no_flag")];
    return [none, ...texts.red_flags.map(({ code, reason }) => [code, reason])];
  }
  const field = fieldOf[means] ?? fieldOf[`left_${means}`];
  return (field?.choices ?? []).map((code) => [code, choice(code)]);
}
