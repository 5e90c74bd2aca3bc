// The API to read and to try: Swagger UI on the service's own document.
import { send } from "../lib/access_key.js";
import { loadKey } from "../lib/local_storage.js";

const place = document.getElementById("reader");
const words = place.dataset;

/** What was typed for the page opens what is tried here too, unless another key is given. */
function withKey(request) {
  const key = loadKey();
  if (key && !request.headers.Authorization) request.headers.Authorization = `Bearer ${key}`;
  return request;
}

const named = (label) => (part) => part.setAttribute("aria-label", label);

const landmark = (label) => (part) => {
  part.setAttribute("role", "region");
  named(label)(part);
};

const heading = (level) => (part) => {
  part.setAttribute("role", "heading");
  part.setAttribute("aria-level", level);
};

/** A field is called as its parameter is, and by what stands above it otherwise. */
function nameField(field) {
  if (field.labels?.length && field.labels[0].textContent.trim() !== field.textContent.trim())
    return;
  const parameter = field.closest("tr[data-param-name]")?.dataset.paramName;
  const fallback = field.matches("textarea") ? words.body : words.choice;
  named(parameter ?? fallback)(field);
}

/** A name for a button that shows only a sign, and what a button says for one that says another. */
const nameButton = (button) => named(button.textContent.trim() || words.close)(button);

const reachable = (part) => part.setAttribute("tabindex", "0");

// What a screen reader or a keyboard misses in Swagger UI's own elements.
const REPAIRS = [
  [".information-container", landmark(words.about)],
  [".scheme-container", landmark(words.access)],
  [".info .title, .opblock-tag, .models > h4", heading(2)],
  [".opblock-section-header h4, .responses-inner h4, .responses-inner h5", heading(3)],
  ["select, textarea, input[type=text], input[type=file]", nameField],
  [".auth-container h4, .auth-container h6", heading(4)],
  [".modal-ux button", nameButton],
  ["pre, .highlight-code, .model-box", reachable],
];

function repair() {
  for (const [selector, mend] of REPAIRS)
    for (const part of place.querySelectorAll(selector)) mend(part);
}

async function open() {
  const response = await send("/openapi.json");
  window.SwaggerUIBundle({
    spec: await response.json(),
    domNode: place,
    deepLinking: false,
    validatorUrl: null,
    tryItOutEnabled: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
    // Its colours can't be read by everybody, and a large answer is shown at once without.
    syntaxHighlight: { activated: false },
    requestInterceptor: withKey,
    // One service, this one: there is nothing to choose from.
    plugins: [{ components: { ServersContainer: () => null } }],
  });
}

new MutationObserver(repair).observe(place, { childList: true, subtree: true });
await open();
