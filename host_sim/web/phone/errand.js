// What a phone does at a door: first what its holder wants, then what it carries both ways.

import { handIn, Offline, Refused, time } from "./account.js";
import { toBase64 } from "./bytes.js";
import { ACT, CARRY, EXPLAIN, NONCE, PUT, STATUS, Visit, status, verdict } from "./session.js";

const NOTHING = new Uint8Array();
const ALLOWED = 0, CLOCK_UNKNOWN = 10;
const LOCKING = 4, UNLOCKING = 5;
const MOST_LOOKS = 20, LOOK_EVERY_MS = 250; // at a bolt that moves

/**
 * A visit through an open door. `action` is a number, or null to carry only; `onlyAsks` to learn
 * what would be. `tell(verdict)` is called as soon as there is one.
 *
 * Gives the reasons for which the lock refused what it was brought.
 */
export async function run(wallet, lock, door, { action, onlyAsks = false, tell }) {
  const visit = new Visit(door, wallet.phone, lock, () => wallet.save());
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

  await look(visit, lock);
  const { answers: [nonce, piece] } = await bring(lock.news, [NONCE, NOTHING], [CARRY, NOTHING]);
  lock.news = [];
  if (piece.length) lock.carried.push(piece);
  await wallet.save();
  const { reasons: brought } = await bring(await fromTheCloud(wallet, lock, nonce));
  if (said?.reason === CLOCK_UNKNOWN && brought.length) {
    said = verdict((await visit.ask([wish]))[0]);
    tell(said);
  }
  await look(visit, lock);
  return refused;
}

/** How the lock is, once its bolt stands still. */
async function look(visit, lock) {
  for (let looks = 0; looks < MOST_LOOKS; looks++) {
    const [answer] = await visit.ask([[STATUS, NOTHING]]);
    const seen = status(answer);
    if (!seen) return;
    lock.seen = { ...seen, at: new Date() };
    if (![LOCKING, UNLOCKING].includes(seen.bolt)) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** The time for a lock that asks for it, and the word that its log has come; if one is online. */
async function fromTheCloud(wallet, lock, nonce) {
  if (!wallet.account) return [];
  try {
    const clock = nonce.length ? await time(wallet, lock, nonce) : [];
    return [...clock, ...(await handIn(wallet, lock))];
  } catch (error) {
    if (error instanceof Offline || error instanceof Refused) return [];
    throw error;
  }
}
