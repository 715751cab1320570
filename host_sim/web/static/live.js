// Keeps the page as the stand is: a pane whose kind of event happened is fetched again, and forms
// are sent without leaving the page. Without scripts the same forms and links lead to whole pages.

const QUIET_MS = 150; // so that a burst of events is one fetch
const due = new Set();
const turns = {}; // by pane, how often it was asked for: an answer that others have overtaken is old
let timer = 0;

const panes = () => document.querySelectorAll("section.pane");

function say(text, bad) {
  const status = document.querySelector(".said");
  status.textContent = text;
  status.classList.toggle("bad", Boolean(bad));
}

// What somebody is typing, has opened, or stands on, outlives the exchange.
function remember(pane) {
  const active = document.activeElement;
  return {
    focus: pane.contains(active) ? active : null,
    open: [...pane.querySelectorAll("details[open][id]")].map((details) => details.id),
    scroll: [...pane.querySelectorAll("[data-scroll]")].map((box) => [box.dataset.scroll, box.scrollLeft, box.scrollTop]),
  };
}

function restore(pane, before) {
  for (const id of before.open) pane.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
  for (const [name, left, top] of before.scroll) {
    pane.querySelector(`[data-scroll="${CSS.escape(name)}"]`)?.scrollTo(left, top);
  }
  if (before.focus) (twin(pane, before.focus) ?? heading(pane)).focus({preventScroll: true});
}

// What stands for an element in a pane that was made anew.
function twin(pane, element) {
  if (element.id) return pane.querySelector(`#${CSS.escape(element.id)}`);
  return [...pane.querySelectorAll(element.localName)].find((each) => each.textContent === element.textContent);
}

function heading(pane) {
  const title = pane.querySelector("h2");
  title.tabIndex = -1;
  return title;
}

// Fields in which something was typed, or a list is perhaps unrolled.
const held = (name) => [...document.getElementById(name).querySelectorAll("input, select, textarea")].filter((field) => field.held);

// `force` takes what was typed so far for sent; what is typed while the answer is on its way stays.
async function refresh(name, force) {
  if (force) for (const field of held(name)) field.held = false;
  const turn = turns[name] = (turns[name] ?? 0) + 1;
  const answer = await fetch(`/pane/${name}${location.search}`, {headers: {"X-Live": "1"}});
  if (!answer.ok) return;
  const text = await answer.text();
  if (turns[name] !== turn || held(name).length) return;
  const made = document.createRange().createContextualFragment(text).querySelector("section");
  const pane = document.getElementById(name);
  const before = remember(pane);
  pane.replaceWith(made);
  restore(made, before);
}

function soon(kind) {
  for (const pane of panes()) {
    if (kind === null || pane.dataset.kinds.split(" ").includes(kind)) due.add(pane.id);
  }
  clearTimeout(timer);
  timer = setTimeout(() => {
    const names = [...due];
    due.clear();
    for (const name of names) refresh(name).catch(() => {});
  }, QUIET_MS);
}

// A form or link that chooses what to look at: into the address, then all panes again.
async function look(address) {
  history.pushState(null, "", address);
  await lookAgain();
}

async function lookAgain() {
  for (const link of document.querySelectorAll("header nav a")) {
    const me = new URLSearchParams(location.search).get("me");
    link.search = me ? `?${new URLSearchParams({me})}` : "";
  }
  await Promise.all([...panes()].map((pane) => refresh(pane.id, true)));
}

function query(form, submitter) {
  const data = new FormData(form, submitter);
  return new URLSearchParams([...data].filter(([, value]) => typeof value === "string"));
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const {submitter} = event;
  const method = submitter?.getAttribute("formmethod") ?? form.getAttribute("method") ?? "get";
  const action = submitter?.getAttribute("formaction") ?? form.getAttribute("action") ?? location.pathname;
  event.preventDefault();
  say("");
  if (method === "get") {
    await look(`${location.pathname}?${query(form, submitter)}`);
    return;
  }
  submitter?.setAttribute("aria-busy", "true");
  try {
    const path = new URL(action, location.href).pathname;
    const answer = await fetch(path + location.search, {
      method: "POST", headers: {"X-Live": "1"}, body: query(form, submitter),
    });
    say(await answer.text(), !answer.ok || answer.headers.get("X-Denied") === "1");
    if (!answer.ok) return;
    history.replaceState(null, "", answer.headers.get("X-Look"));
    const here = form.closest("section.pane");
    await Promise.all([...panes()].map((pane) => refresh(pane.id, pane === here)));
  } catch {
    say("The simulator does not answer.", true);
  } finally {
    submitter?.removeAttribute("aria-busy");
  }
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-look]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const {look: there} = link.dataset;
  const isElsewhere = link.closest("section.pane")?.id !== there;
  look(link.href).then(() => { if (isElsewhere) heading(document.getElementById(there)).focus(); });
});
window.addEventListener("popstate", lookAgain);

document.addEventListener("input", (event) => { event.target.held = true; });
for (const kind of ["pointerdown", "keydown"]) {
  document.addEventListener(kind, (event) => {
    if (event.target.matches?.("select") && event.key !== "Tab") event.target.held = true;
  });
}
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});
document.addEventListener("focusout", (event) => {
  if (!event.target.matches("select[data-submit]")) return;
  event.target.held = false; // it was left as it was, or it has been sent
  const pane = event.target.closest("section.pane");
  if (pane) refresh(pane.id).catch(() => {});
});

const events = new EventSource(`/events?after=${document.body.dataset.event}`);
events.onmessage = (event) => soon(event.data);
// After a break anything may have happened, and the stand may be another one.
let broken = false;
events.onerror = () => { broken = true; say("The simulator does not answer.", true); };
events.onopen = () => { if (broken) { broken = false; say(""); soon(null); } };
