// The printable page: made by the service without a name, shown in a frame that runs no script.
import { html, nothing } from "./vendor/lit-html.js";
import { post } from "./ask.js";
import { save } from "./files.js";
import { fitRecord, record } from "./record.js";
import { $, debounce, draw, state as page } from "./state.js";
import { day } from "./words.js";

const frame = () => $("sheet");

export function reportView(state, act) {
  const file = page.paper === "file", ready = state.answer && (file || state.sheet === "ready");
  const kinds = [["athlete", "For the athlete"], ["file", "For the file"]];
  return html`<section class="view" aria-labelledby="h-rep"><div class="head"><div><h1 id="h-rep" tabindex="-1">Report${state.draft.name ? `: ${state.draft.name}` : ""}</h1>
      <p>${!state.answer ? "There is no answer to print yet." : file ? "One A4 page with everything that was measured and answered." : "One A4 page for the athlete. Printing from the answer prints this page too."}</p></div>
    <div class="acts">${state.answer ? html`<div class="seg" role="group" aria-label="Which page">${kinds.map(([kind, title]) => html`<button type="button" aria-pressed=${page.paper === kind ? "true" : "false"} @click=${() => act.paper(kind)}>${title}</button>`)}</div>
      <button class="btn btn--main" type="button" ?disabled=${!ready} @click=${act.print}>Print or save as PDF</button>
      <button class="btn" type="button" @click=${act.download}>Save the file (JSON)</button>` : html`<a class="btn btn--main" href="#screen">To the form</a>`}</div></div>
    ${state.sheet === "failed" && !file ? html`<p class="card" role="alert">The report could not be made. ${state.sheetProblem}</p>` : nothing}
    ${file && state.answer ? html`<div class="paper" role="region" tabindex="0" aria-label="The page for the file">${record(state)}</div>` : nothing}
  </section>`;
}

/** Load the report of a screening into the frame; resolves when it is laid out. */
async function loadSheet(body, draft, signal) {
  const text = await post("v1/report", body, signal);
  const sheet = frame();
  await new Promise((resolve) => {
    sheet.addEventListener("load", resolve, { once: true });
    sheet.srcdoc = text;
  });
  label(draft);
  // The frame is the sheet of paper; the report's own margin around it would be a second one.
  const paper = sheet.contentDocument?.querySelector(".sheet");
  if (paper) paper.style.margin = "0 auto";
  fit();
}

// The name and the date are written in here, in the browser: the service has neither.
function label({ name, date }) {
  const inside = frame().contentDocument, title = inside?.querySelector("h1");
  if (!title) return;
  if (name.trim()) title.textContent = `${title.textContent.split(":")[0]}: ${name.trim()}`;
  const who = title.nextElementSibling;
  if (who && !who.textContent.includes("Screened")) who.textContent += `. Screened ${day(date)}`;
  inside.title = title.textContent;
}

function fit() {
  const sheet = frame(), inside = sheet.contentDocument?.documentElement;
  if (!inside || sheet.hidden) return;
  sheet.height = "0";
  sheet.height = String(inside.scrollHeight);
}

/** Show the report where it is asked for; elsewhere it waits unseen, to be printed. */
export function showSheet() {
  const sheet = frame(), forFile = page.view === "report" && page.paper === "file";
  const on = page.view === "report" && !forFile, ready = page.sheet === "ready" && Boolean(page.answer) && page.view !== "team" && !forFile;
  sheet.hidden = !ready;
  sheet.classList.toggle("is-open", on && ready);
  sheet.inert = !on;
  if (on && ready) fit();
  if (forFile) fitRecord();
}

let inFlight = null;

async function makeSheet() {
  if (!page.body || !["answer", "report"].includes(page.view) || page.sheet === "ready") return;
  inFlight?.abort();
  const mine = (inFlight = new AbortController());
  try {
    frame().hidden = false;
    await loadSheet(page.body, page.draft, mine.signal);
    page.sheet = "ready";
  } catch (error) {
    if (error.name === "AbortError") return;
    Object.assign(page, { sheet: "failed", sheetProblem: error.message });
  }
  draw();
}

/** Make the report anew after so many milliseconds, where it is looked at. */
export const refreshSheet = debounce(makeSheet);

export const acts = {
  paper(kind) {
    page.paper = kind;
    draw();
  },
  async print() {
    if (page.view === "report" && page.paper === "file") return window.print();
    await makeSheet();
    if (page.sheet === "ready") frame().contentWindow.print();
    else location.hash = "#report";
    return undefined;
  },
  download() {
    const { name, date } = page.draft;
    const kept = { name, date, screening: page.body, answer: page.answer };
    save(`screening-${date}.json`, JSON.stringify(kept, null, 1), "application/json");
  },
};
