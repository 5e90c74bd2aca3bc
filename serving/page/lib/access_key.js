// The key of a service that other machines can reach: typed once, kept until the tab is closed.
import { loadClubKey, loadKey, storeKey } from "./local_storage.js";

const withKey = (options, key) =>
  key ? { ...options, headers: { ...options.headers, authorization: `Bearer ${key}` } } : options;

// A club's key opens the service too.
const currentKey = () => loadKey() ?? loadClubKey();

// Requests that need the key at the same time wait for the same dialog.
let asking = null;

/** `fetch`, with the key; where the service wants one, it is asked for until it is right. */
export async function send(path, options = {}) {
  for (;;) {
    const key = currentKey();
    const response = await fetch(path, withKey(options, key));
    const wantsKey = response.status === 401 && response.headers.has("www-authenticate");
    if (!wantsKey) return response;
    if (currentKey() === key) {
      asking ??= askForKey(Boolean(key));
      await asking;
      asking = null;
    }
  }
}

function askForKey(isWrong) {
  const dialog = document.getElementById("key");
  const input = dialog.querySelector("input");
  dialog.querySelector(".key__wrong").hidden = !isWrong;
  input.value = "";
  if (!dialog.open) dialog.showModal();
  return new Promise((resolve) => {
    const submit = (event) => {
      event.preventDefault();
      storeKey(input.value.trim());
      dialog.close();
      resolve();
    };
    dialog.querySelector("form").addEventListener("submit", submit, { once: true });
  });
}

// Without the key nothing else works, so the dialog can't be left.
document.getElementById("key").addEventListener("cancel", (event) => event.preventDefault());
