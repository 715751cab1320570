// The phone's account at the share cloud: its key there, what it fetches for locks and hands in.

import { fromBase64, fromHex, toBase64, toHex } from "./bytes.js";

const ROOT = new URL("..", import.meta.url);
const API = "api/native/v1";

/** The cloud cannot be reached. */
export class Offline extends Error {}

/** The cloud says no; the message is for people, `status` HTTP's. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Log in, and tell the cloud of the phone's key, under a name. */
export async function signIn(wallet, email, password, name) {
  const { token } = await ask("", "POST", "account/log-in", { email, password });
  const key = toHex(wallet.phone.point);
  const known = await ask(token, "GET", `${API}/phones`);
  const { id } =
    known.find((each) => each.key === key) ??
    (await ask(token, "POST", `${API}/phones`, { name, key }));
  wallet.account = { email, token, phone: id };
  await wallet.save();
}

/** Log out; what was fetched for locks stays. */
export async function signOut(wallet) {
  const { token } = wallet.account;
  wallet.account = null;
  await wallet.save();
  await ask(token, "POST", "account/log-out");
}

/** Accept the share that a link from a mail offers; `link` may be what stands after its #. */
export const accept = (wallet, link) =>
  ask(wallet.account.token, "POST", "account/invitations", { token: link.split("#").at(-1) });

/** Hand in what was carried; get all grants for this phone, and news for their locks. */
export async function refresh(wallet) {
  for (const lock of wallet.locks.values()) await handIn(wallet, lock);
  for await (const device of devices(wallet)) {
    const path = `${API}/devices/${device.id}`;
    const grant = await perhaps(wallet, `${path}/grant?phone=${wallet.account.phone}`);
    // A lock that never said its key nobody could tell from another.
    if (!grant?.key) continue;
    const lock = await wallet.know(grant.lock, fromHex(grant.key));
    Object.assign(lock, { name: device.name, device: device.id });
    lock.statements = lock.grant === grant.token ? [] : statements(grant);
    lock.news = await news(wallet, path, device.applied);
  }
  await wallet.save();
}

/** Give the cloud the pieces of a log that were carried; what it says to them, for the lock. */
export async function handIn(wallet, lock) {
  let said = [];
  while (lock.carried.length) {
    const log = toBase64(lock.carried[0]);
    said = statements(await owned(wallet, "POST", `${API}/devices/${lock.device}/log`, { log }));
    lock.carried.shift();
    await wallet.save();
  }
  return said;
}

/** The time for a lock, in answer to its nonce. */
export async function time(wallet, lock, nonce) {
  const body = { nonce: toHex(nonce) };
  return statements(await owned(wallet, "POST", `${API}/devices/${lock.device}/time`, body));
}

async function* devices(wallet) {
  let cursor = "";
  do {
    const page = await owned(wallet, "GET", `${API}/devices?limit=1000${cursor}`);
    yield* page.items;
    cursor = page.next && `&cursor=${page.next}`;
  } while (cursor);
}

/** What a lock lacks, as far as this person may carry it. */
async function news(wallet, path, applied) {
  const changes = await perhaps(wallet, `${path}/changes?after=${applied}`);
  const tokens = changes?.batches.length ? [changes.issuer, ...changes.batches] : [];
  const settings = await perhaps(wallet, `${path}/settings`);
  return [
    ...tokens.filter((token) => token !== null).map(fromBase64),
    ...(settings ? statements(settings) : []),
  ];
}

/** The statement in an answer, after the root's for who signed it, if there is one. */
const statements = ({ issuer, token }) =>
  [issuer, token].filter((each) => each !== null).map(fromBase64);

const owned = (wallet, method, path, body) => ask(wallet.account.token, method, path, body);

/** The same; null for what there is not, or is not for this person. */
async function perhaps(wallet, path) {
  try {
    return await owned(wallet, "GET", path);
  } catch (error) {
    if (error instanceof Refused && [403, 404].includes(error.status)) return null;
    throw error;
  }
}

async function ask(token, method, path, body) {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const options = { method, headers, body: body && JSON.stringify(body) };
  const answer = await fetch(new URL(path, ROOT), options).catch(() => {
    throw new Offline();
  });
  const text = await answer.text();
  if (answer.ok) return text ? JSON.parse(text) : null;
  throw new Refused(answer.status, told(text) ?? `The cloud answers ${answer.status}.`);
}

function told(text) {
  try {
    return JSON.parse(text).detail;
  } catch {
    return null; // some proxy's own page
  }
}
