// Printable pages: made by the service without a name, shown in a frame that runs no script.
import { post } from "../lib/api_client.js";
import { download } from "../lib/download.js";
import { byId, debounce, draw, state } from "../lib/state.js";
import { longDate } from "../lib/number_format.js";
import { storeContact } from "../lib/local_storage.js";
import { text } from "../lib/texts.js";
import { fitRecord } from "../views/record_page.js";

const reportFrame = () => byId("sheet");

/** The printable page that the frame holds: what was chosen; elsewhere the one-page report. */
const kindToFrame = () =>
  state.view === "report" && state.reportKind !== "record" ? state.reportKind : "report";

const isFramed = () => state.reportStatus === "ready" && state.framedKind === kindToFrame();

/** Load a printable page of a screening into the frame; resolves when it is laid out. */
async function loadPage(kind, body, signal) {
  const page = await post(`v1/${kind}`, body, signal);
  const frame = reportFrame();
  await new Promise((resolve) => {
    frame.addEventListener("load", resolve, { once: true });
    frame.srcdoc = page;
  });
  if (kind === "hand_out") fillHandOut();
  else addNameAndDate(state.draft);
  // The frame is the sheet of paper; the page's own margin around it would be a second one.
  const sheet = frame.contentDocument?.querySelector(".sheet");
  if (sheet) sheet.style.margin = "0 auto";
  fitFrame();
}

// The name and the date are written in here, in the browser: the service has neither.
function addNameAndDate({ name, date }) {
  const report = reportFrame().contentDocument;
  const title = report?.querySelector("h1");
  if (!title) return;
  if (name.trim()) {
    const heading = title.textContent.split(":")[0];
    title.textContent = text("page.titled", { title: heading, name: name.trim() });
  }
  const subtitle = title.nextElementSibling;
  const screened = text("page.report.screened", { date: longDate(date) });
  if (subtitle && !subtitle.textContent.includes(screened)) {
    subtitle.textContent += `. ${screened}`;
  }
  report.title = title.textContent;
}

// So are whom to call and when to come back.
function fillHandOut() {
  const { draft, answer, contact } = state;
  const sheet = reportFrame().contentDocument;
  const write = (id, words) => {
    const place = sheet?.getElementById(id);
    if (place) place.textContent = words;
  };
  const name = draft.name.trim();
  write("title", name ? text("page.report.plan_of", { name }) : text("hand_out.title"));
  const weeks = answer?.plan?.test_again.weeks;
  const date = longDate(draft.date);
  write("dated", weeks ? text("hand_out.dated", { date, weeks }) : date);
  for (const field of ["name", "phone", "clinic"]) write(field, contact[field]);
  write("when", state.callTimes);
  const next = nextDate();
  write("next", next && longDate(next));
  if (sheet) sheet.title = sheet.getElementById("title")?.textContent ?? "";
}

/** The day of the next test: as entered, else as many weeks after the screening as planned. */
function nextDate() {
  if (state.nextDate !== null) return state.nextDate;
  const weeks = state.answer?.plan?.test_again.weeks;
  const day = new Date(`${state.draft.date}T12:00:00Z`);
  if (!weeks || Number.isNaN(day.getTime())) return "";
  day.setUTCDate(day.getUTCDate() + 7 * weeks);
  return day.toISOString().slice(0, 10);
}

function fitFrame() {
  const frame = reportFrame();
  const root = frame.contentDocument?.documentElement;
  if (!root || frame.hidden) return;
  frame.height = "0";
  frame.height = String(root.scrollHeight);
}

/** Show the report where it is asked for; elsewhere it waits unseen, to be printed. */
export function showReport() {
  const frame = reportFrame();
  const isRecord = state.view === "report" && state.reportKind === "record";
  const isOpen = state.view === "report" && !isRecord;
  const isReady = isFramed() && Boolean(state.answer);
  const isPrintable = isReady && state.view !== "team" && !isRecord;
  frame.hidden = !isPrintable;
  frame.classList.toggle("is-open", isOpen && isPrintable);
  frame.inert = !isOpen;
  if (isOpen && isPrintable) fitFrame();
  if (isRecord) fitRecord();
}

let inFlight = null;

async function makeReport() {
  const isLookedAt = ["answer", "report"].includes(state.view);
  if (!state.body || !isLookedAt || isFramed()) return;
  const kind = kindToFrame();
  inFlight?.abort();
  const request = (inFlight = new AbortController());
  try {
    reportFrame().hidden = false;
    await loadPage(kind, state.body, request.signal);
    Object.assign(state, { reportStatus: "ready", framedKind: kind });
  } catch (error) {
    if (error.name === "AbortError") return;
    Object.assign(state, { reportStatus: "failed", reportProblem: error.message });
  }
  draw();
}

/** Make the report anew after so many milliseconds, where it is looked at. */
export const refreshReport = debounce(makeReport);

export const reportActions = {
  nextDate,
  chooseReport(kind) {
    state.reportKind = kind;
    draw();
    makeReport();
  },
  fillIn(field, words) {
    if (field === "next") state.nextDate = words;
    else if (field === "when") state.callTimes = words;
    else {
      state.contact = { ...state.contact, [field]: words };
      storeContact(state.contact);
    }
    if (state.framedKind === "hand_out") fillHandOut();
    draw();
  },
  async print() {
    if (state.view === "report" && state.reportKind === "record") {
      window.print();
      return;
    }
    await makeReport();
    if (isFramed()) reportFrame().contentWindow.print();
    else location.hash = "#report";
  },
  downloadJson() {
    const { name, date } = state.draft;
    const record = { name, date, screening: state.body, answer: state.answer };
    download(`screening-${date}.json`, JSON.stringify(record, null, 1), "application/json");
  },
};
