// The page: a list of locks with their buttons, and the account. Everything that is shown comes
// from the wallet, so that it is there without a network, too.

import * as account from "./account.js";
import { Door, Gone, find as findRadio, isThere } from "./ble.js";
import { EdhocError } from "./edhoc.js";
import { run } from "./errand.js";
import { Failed } from "./session.js";
import { Wallet } from "./wallet.js";
import { BOLTS, DOORS, SENTENCES } from "./words.js";

const UNLOCK = 1, LOCK = 2, PULL = 4;
const ALLOWED = 0;
const ERRANDS = {
  unlock: { action: UNLOCK },
  lock: { action: LOCK },
  pull: { action: PULL },
  ask: { action: UNLOCK, onlyAsks: true },
  carry: { action: null },
};
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });

const find = (selector, within = document) => within.querySelector(selector);
const form = (name) => document.forms.namedItem(name);
const wallet = await Wallet.open();
const devices = new Map(); // by the id of a lock, which radio was it

show();
listen();
navigator.serviceWorker?.register("worker.js");
await refresh();

function listen() {
  find("#locks").addEventListener("click", ({ target }) => {
    const errand = target.closest("button")?.name;
    if (errand) go(wallet.locks.get(target.closest("article").dataset.lock), errand);
  });
  submits("sign-in", async (data) => {
    navigator.storage.persist(); // a browser short of room may delete the key otherwise
    await account.signIn(wallet, data.get("email"), data.get("password"), data.get("phone"));
    if (data.get("link")) await account.accept(wallet, data.get("link"));
    await account.refresh(wallet);
  });
  submits("invitation", async (data) => {
    await account.accept(wallet, data.get("link"));
    await account.refresh(wallet);
  });
  submits("fetch", () => account.refresh(wallet));
  submits("sign-out", () => account.signOut(wallet));
  submits("forget", async () => {
    // If the cloud cannot be told: a public key without its other half opens nothing.
    if (wallet.account) await account.leave(wallet).catch(sentence);
    await wallet.erase();
    location.reload();
  });
  addEventListener("online", refresh);
  addEventListener("hashchange", show);
}

/** Do what a form is for, and say how it went. */
function submits(name, act) {
  form(name).addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy(event.submitter)) return;
    say("");
    try {
      await whileBusy(event.submitter, () => act(new FormData(event.target)));
      event.target.reset();
      if (location.hash) history.replaceState(null, "", location.pathname);
    } catch (error) {
      say(sentence(error));
    }
    show();
  });
}

/** Get what is new, if that can be; without a network one goes on with what there is. */
async function refresh() {
  if (!wallet.account) return;
  try {
    await account.refresh(wallet);
    say("");
  } catch (error) {
    say(sentence(error));
  }
  show();
}

// --- at the door ----------------------------------------------------------------------------

async function go(lock, errand) {
  const card = find(`article[data-lock="${CSS.escape(lock.id)}"]`);
  const button = find(`button[name=${errand}]`, card);
  if (isBusy(card)) return;
  const answer = find("[role=status]", card);
  const doubt = find(".doubt", card);
  doubt.textContent = "";
  const tell = (text, kind = "") => {
    answer.textContent = text;
    answer.className = kind;
  };
  tell("");
  try {
    await whileBusy(card, () => whileBusy(button, async () => {
      if (!devices.has(lock.id)) devices.set(lock.id, await findRadio(lock.radio));
      await visit(lock.id, errand, tell, doubt);
    }));
  } catch (error) {
    devices.delete(lock.id);
    tell(sentence(error), "bad");
  }
  show();
}

/** One visit at a time, of all tabs: two must not take the same step of a resumption. */
function visit(id, errand, tell, doubt) {
  return navigator.locks.request("visit", async () => {
    await wallet.load();
    const lock = wallet.locks.get(id);
    const door = new Door(devices.get(id));
    try {
      await door.open();
      const heard = (said) => {
        tell(outcome(errand, said), said.reason === ALLOWED ? "good" : "bad");
        show();
      };
      const refused = await run(wallet, lock, door, { ...ERRANDS[errand], tell: heard });
      lock.radio = devices.get(id).id;
      if (errand === "carry") tell("The lock has what this phone had for it.", "good");
      const why = refused.map((reason) => SENTENCES[reason]);
      if (why.length) doubt.textContent = `The lock refused what it was brought. ${why.join(" ")}`;
    } finally {
      await wallet.save();
      door.close();
    }
  });
}

function outcome(errand, { reason, next }) {
  if (reason === null) return "The lock does not know this phone.";
  if (reason !== ALLOWED) {
    const text = SENTENCES[reason] ?? "Denied for a reason this version does not know.";
    return next ? `No. ${text} It would be a yes from ${MOMENT.format(next)}.` : `No. ${text}`;
  }
  return { unlock: "Unlocked.", lock: "Locked.", pull: "Pulled.", ask: "It would open." }[errand];
}

function sentence(error) {
  if (error instanceof account.Offline) return "No network: what is here still opens doors.";
  if (error instanceof account.Refused) return error.message;
  if (error instanceof EdhocError || error instanceof Failed) {
    return "That is not the lock that this phone knows.";
  }
  if (error.name === "NotFoundError") return "No lock was chosen.";
  if (error instanceof Gone || error instanceof DOMException) {
    return "The lock is out of reach, or does not answer.";
  }
  throw error;
}

// --- what is shown --------------------------------------------------------------------------

function show() {
  const isSignedIn = wallet.account !== null;
  find("#no-bluetooth").hidden = isThere();
  find("#no-locks").hidden = wallet.locks.size > 0;
  for (const each of document.querySelectorAll("[data-signed-in]")) {
    each.hidden = (each.dataset.signedIn === "yes") !== isSignedIn;
  }
  find("#who").textContent = wallet.account?.email ?? "";
  if (location.hash) form(isSignedIn ? "invitation" : "sign-in").elements.link.value = location.href;
  for (const lock of wallet.locks.values()) showLock(lock);
}

function showLock(lock) {
  let card = find(`article[data-lock="${CSS.escape(lock.id)}"]`);
  if (!card) {
    card = find("#lock").content.firstElementChild.cloneNode(true);
    card.dataset.lock = lock.id;
    find("h2", card).id = `lock-${lock.id}`;
    card.setAttribute("aria-labelledby", `lock-${lock.id}`);
    find("#locks").append(card);
  }
  find("h2", card).textContent = lock.name;
  find(".seen", card).textContent = lock.seen ? seen(lock.seen) : "This phone was not there yet.";
  const brings = lock.statements.length + lock.news.length;
  find(".brings", card).textContent = brings;
  find(".takes", card).textContent = lock.carried.length;
}

function seen({ bolt, door, at }) {
  const parts = [`Bolt ${BOLTS[bolt] ?? "unknown"}`];
  if (DOORS[door]) parts.push(`door ${DOORS[door]}`);
  return `${parts.join(", ")}, ${MOMENT.format(at)}.`;
}

function say(text) {
  find("#told").textContent = text;
}

function isBusy(element) {
  return element.ariaBusy === "true";
}

/** Shown as busy, and not disabled: that would take the focus away. */
async function whileBusy(element, act) {
  element.ariaBusy = "true";
  try {
    return await act();
  } finally {
    element.ariaBusy = null;
  }
}
