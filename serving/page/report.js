// The printable page: made by the service without a name, shown in a frame that runs no script.
import { html, nothing } from "./vendor/lit-html.js";
import { post } from "./ask.js";
import { day } from "./words.js";

const frame = () => document.getElementById("sheet");

export function reportView(state, act) {
  const ready = state.answer && state.sheet === "ready";
  return html`<section class="view" aria-labelledby="h-rep"><div class="head"><div><h1 id="h-rep" tabindex="-1">Report${state.draft.name ? `: ${state.draft.name}` : ""}</h1>
      <p>${state.answer ? "One A4 page for the athlete. Printing from the answer prints this page too." : "There is no answer to print yet."}</p></div>
    <div class="acts">${state.answer ? html`<button class="btn btn--main" type="button" ?disabled=${!ready} @click=${act.print}>Print or save as PDF</button>
      <button class="btn" type="button" @click=${act.download}>Save the file (JSON)</button>` : html`<a class="btn btn--main" href="#screen">To the form</a>`}</div></div>
    ${state.sheet === "failed" ? html`<p class="card" role="alert">The report could not be made. ${state.sheetProblem}</p>` : nothing}
  </section>`;
}

/** Load the report of a screening into the frame; resolves when it is laid out. */
export async function loadSheet(body, draft, signal) {
  const text = await post("v1/report", body, signal);
  const sheet = frame();
  await new Promise((resolve) => {
    sheet.addEventListener("load", resolve, { once: true });
    sheet.srcdoc = text;
  });
  label(draft);
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

export function showSheet(on, ready) {
  const sheet = frame();
  sheet.hidden = !ready;
  sheet.classList.toggle("is-open", on && ready);
  sheet.inert = !on;
  if (on && ready) fit();
}

export function printSheet() {
  frame().contentWindow.focus();
  frame().contentWindow.print();
}

/** One file with what was asked and what was answered; made here, sent nowhere. */
export function download(name, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 1)], { type: "application/json" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
