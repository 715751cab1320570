// What a phone does at a door: first what its holder wants, then what it carries both ways.

import { handIn, Offline, Refused, time } from "./account.js";
import { toBase64 } from "./bytes.js";
import { ACT, CARRY, EXPLAIN, NONCE, PUT, STATUS, Visit, status, verdict } from "./session.js";

const NOTHING = new Uint8Array();
const ALLOWED = 0, CLOCK_UNKNOWN = 10;
const MOVING = [4, 5]; // states of the bolt
const MOST_LOOKS = 20, LOOK_EVERY_MS = 250; // at a bolt that moves

/**
 * A visit through an open door. `action` is a number, or null to carry only; `onlyAsks` to learn
 * what would be. `tell(verdict)` is called as soon as there is one.
 *
 * Gives the reasons for which the lock refused what it was brought.
 */
export async function run(wallet, lock, door, { action, onlyAsks = false, tell }) {
  const visit = new Visit(door, wallet.phone, lock, await wallet.stepsTo(lock));
  const wish = [onlyAsks ? EXPLAIN : ACT, Uint8Array.of(action)];
  const refused = [];

  const bring = async (tokens, ...others) => {
    const puts = tokens.map((token) => [PUT, token]);
    const answers = await visit.ask([...puts, ...others]);
    const reasons = answers.splice(0, tokens.length).map(([reason]) => reason);
    refused.push(...reasons.filter((reason) => reason > ALLOWED && reason < 128));
    return { reasons, answers };
  };

  const lacking = lock.statements;
  const { reasons, answers } = await bring(lacking, ...(action === null ? [] : [wish]));
  lock.statements = [];
  lacking.forEach((token, at) => {
    if (reasons[at] === ALLOWED) lock.grant = toBase64(token);
  });
  let said = action === null ? null : verdict(answers[0]);
  if (said) tell(said);

  const also = [STATUS, NONCE, CARRY].map((what) => [what, NOTHING]);
  const { answers: [how, nonce, piece] } = await bring([...lock.news, ...lock.receipt], ...also);
  [lock.news, lock.receipt] = [[], []];
  see(lock, how);
  carry(lock, piece);
  await wallet.save();

  const clock = await fromTheCloud(wallet, lock, nonce);
  await bring([...clock, ...lock.receipt]);
  lock.receipt = [];
  if (said?.reason === CLOCK_UNKNOWN && clock.length) {
    said = verdict((await visit.ask([wish]))[0]);
    tell(said);
  }
  for (let looks = 0; looks < MOST_LOOKS; looks++) {
    const [answer] = await visit.ask([[STATUS, NOTHING]]);
    see(lock, answer);
    if (!MOVING.includes(lock.seen?.bolt)) break;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return refused;
}

/** Remember how the lock is, if it tells. */
function see(lock, answer) {
  const seen = status(answer);
  if (seen) lock.seen = { ...seen, at: new Date() };
}

/** Take a piece of its log along, instead of an older one that begins at the same entry. */
function carry(lock, piece) {
  if (!piece.length) return;
  const after = lock.seen?.kept ?? null;
  if (lock.carried.length && after !== null && after === lock.carriedAfter) lock.carried.pop();
  lock.carried.push(piece);
  lock.carriedAfter = after;
}

/** The time for a lock that asks for it, and a receipt for its log; if one is online. */
async function fromTheCloud(wallet, lock, nonce) {
  if (!wallet.account) return [];
  try {
    await handIn(wallet, lock);
    return nonce.length ? await time(wallet, lock, nonce) : [];
  } catch (error) {
    if (error instanceof Offline || error instanceof Refused) return [];
    throw error;
  }
}
