// The report: made by the service without a name, shown in a frame that runs no script.
import { post } from "../lib/api_client.js";
import { download } from "../lib/download.js";
import { byId, debounce, draw, state } from "../lib/state.js";
import { longDate } from "../lib/number_format.js";
import { text } from "../lib/texts.js";
import { fitRecord } from "../views/record_page.js";

const reportFrame = () => byId("sheet");

/** Load the report of a screening into the frame; resolves when it is laid out. */
async function loadReport(body, draft, signal) {
  const page = await post("v1/report", body, signal);
  const frame = reportFrame();
  await new Promise((resolve) => {
    frame.addEventListener("load", resolve, { once: true });
    frame.srcdoc = page;
  });
  addNameAndDate(draft);
  // The frame is the sheet of paper; the report's own margin around it would be a second one.
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
  const isReady = state.reportStatus === "ready" && Boolean(state.answer);
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
  if (!state.body || !isLookedAt || state.reportStatus === "ready") return;
  inFlight?.abort();
  const request = (inFlight = new AbortController());
  try {
    reportFrame().hidden = false;
    await loadReport(state.body, state.draft, request.signal);
    state.reportStatus = "ready";
  } catch (error) {
    if (error.name === "AbortError") return;
    Object.assign(state, { reportStatus: "failed", reportProblem: error.message });
  }
  draw();
}

/** Make the report anew after so many milliseconds, where it is looked at. */
export const refreshReport = debounce(makeReport);

export const reportActions = {
  chooseReport(kind) {
    state.reportKind = kind;
    draw();
  },
  async print() {
    if (state.view === "report" && state.reportKind === "record") {
      window.print();
      return;
    }
    await makeReport();
    if (state.reportStatus === "ready") reportFrame().contentWindow.print();
    else location.hash = "#report";
  },
  downloadJson() {
    const { name, date } = state.draft;
    const record = { name, date, screening: state.body, answer: state.answer };
    download(`screening-${date}.json`, JSON.stringify(record, null, 1), "application/json");
  },
};
