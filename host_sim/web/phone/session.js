// A phone's side of a visit: the handshake or a step of an earlier one, then sealed requests.
// The phone says nothing that the lock did not earn: who it is and what it wants go out only after
// the lock proved its key, or sealed for the lock.

import { ascii, bigEndian, concat, number } from "./bytes.js";
import * as ccm from "./ccm.js";
import { Initiator } from "./edhoc.js";
import { expand, hidden } from "./kdf.js";
import { newPair } from "./p256.js";

// The first byte of a message.
const GREETING = 0x01, START_OVER = 0x02, MESSAGE_1 = 0x10, MESSAGE_2 = 0x11, MESSAGE_3 = 0x12;
const MESSAGE_4 = 0x13, RESUME = 0x20, FRAME = 0x21;

// Requests: an action as content, a statement, or nothing.
export const ACT = 1, EXPLAIN = 2, PUT = 3, NONCE = 4, STATUS = 5, CARRY = 7;

const KEY_BYTES = 16;
const SALT_BYTES = 8;
const SECRET_BYTES = 32;
const STEP_BYTES = 8;
const KEYS_LABEL = 32768;
const RESUME_LABEL = 32769;
const ITEM_HEAD = 3;
const MOST_FRAME = 6160; // of plaintext: message 3 may wait beside it
const FROM_PHONE = Uint8Array.of(0), FROM_LOCK = Uint8Array.of(1);

/** The lock said something that it cannot say, or is not the lock. */
export class Failed extends Error {}

/** Frames under a key and a salt that were never used for another visit. */
class Session {
  #key; #salt;
  #sent = 0;
  #taken = 0;

  constructor(key, salt) {
    this.#key = key;
    this.#salt = salt;
  }

  seal(plaintext) {
    return ccm.encrypt(this.#key, this.#nonce(FROM_PHONE, this.#sent++), plaintext);
  }

  async open(frame) {
    const plaintext = await ccm.decrypt(this.#key, this.#nonce(FROM_LOCK, this.#taken++), frame);
    if (plaintext === null) throw new Failed("a frame that does not open");
    return plaintext;
  }

  #nonce(speaker, count) {
    return concat(this.#salt, speaker, bigEndian(count, 4));
  }
}

/**
 * One connection of a phone with a lock that it knows.
 *
 * `door` can `send` a message and `receive` one. `phone` and `lock` are the wallet's; `save` keeps
 * it before the lock hears of what changed: a step must not be taken twice.
 */
export class Visit {
  #door; #phone; #lock; #save; #newPair;
  #session = null;
  handshakes = 0;

  constructor(door, phone, lock, save, makePair = newPair) {
    this.#door = door;
    this.#phone = phone;
    this.#lock = lock;
    this.#save = save;
    this.#newPair = makePair;
  }

  /** The answers to requests, each `[what, content]`, in their order. Raises Failed. */
  async ask(requests) {
    const answers = [];
    for (const frame of framed(requests)) {
      const plaintext = await this.#exchange(concat(...frame.map(packed)));
      const found = unpacked(plaintext);
      if (found.length !== frame.length || found.some(([what], at) => what !== frame[at][0])) {
        throw new Failed("an answer to something else");
      }
      answers.push(...found.map(([, content]) => content));
    }
    return answers;
  }

  async #exchange(plaintext) {
    if (!this.#session) return this.#begin(plaintext);
    await this.#say(FRAME, await this.#session.seal(plaintext));
    return this.#session.open(await this.#hear(FRAME));
  }

  async #begin(plaintext) {
    const nonce = await this.#hear(GREETING);
    if (nonce.length !== SALT_BYTES) throw new Failed("a greeting of another size");
    if (!this.#lock.ratchet) return this.#handshake(plaintext);
    const length = SECRET_BYTES + STEP_BYTES + KEY_BYTES;
    const step = await expand(this.#lock.ratchet, ascii("step"), length);
    this.#lock.ratchet = await hidden(step.slice(0, SECRET_BYTES));
    await this.#save();
    this.#session = new Session(step.slice(-KEY_BYTES), nonce);
    const id = step.slice(SECRET_BYTES, -KEY_BYTES);
    await this.#say(RESUME, concat(id, await this.#session.seal(plaintext)));
    const answer = await this.#hear(FRAME, START_OVER);
    if (answer) return this.#session.open(answer);
    this.#lock.ratchet = null;
    return this.#handshake(plaintext);
  }

  async #handshake(plaintext) {
    this.handshakes++;
    const initiator = new Initiator(await this.#newPair());
    await this.#say(MESSAGE_1, initiator.message1());
    const message2 = await this.#hear(MESSAGE_2);
    const message3 = await initiator.take2(message2, this.#lock, this.#phone);
    const keys = await initiator.export(KEYS_LABEL, KEY_BYTES + SALT_BYTES);
    this.#session = new Session(keys.slice(0, KEY_BYTES), keys.slice(KEY_BYTES));
    await this.#say(MESSAGE_3, message3);
    await this.#say(FRAME, await this.#session.seal(plaintext));
    await initiator.take4(await this.#hear(MESSAGE_4));
    this.#lock.ratchet = await hidden(await initiator.export(RESUME_LABEL, SECRET_BYTES));
    await this.#save();
    return this.#session.open(await this.#hear(FRAME));
  }

  #say(kind, content) {
    return this.#door.send(concat(Uint8Array.of(kind), content));
  }

  /** What stands in the next message, which is of a kind; null if it is the `other` one. */
  async #hear(kind, other) {
    const message = await this.#door.receive();
    if (message[0] === kind) return message.slice(1);
    if (message[0] === other) return null;
    throw new Failed(`message ${message[0]} out of turn`);
  }
}

/** The answer to ACT or EXPLAIN: `reason`, null for a stranger; `next`, a Date or null. */
export function verdict(content) {
  const [reason = null] = content;
  const next = content.length > 1 ? new Date(1000 * number(content.slice(1))) : null;
  return { reason, next };
}

/** The answer to STATUS, as numbers; null for a stranger. */
export function status(content) {
  if (content.length !== 15) return null;
  const [bolt, door, clock] = content;
  const [applied, last, kept] = [3, 7, 11].map((at) => number(content.slice(at, at + 4)));
  return { bolt, door, clock, applied, last, kept };
}

/** Requests in as few frames as hold them, in their order. */
function framed(requests) {
  const frames = [];
  let room = 0;
  for (const request of requests) {
    const length = ITEM_HEAD + request[1].length;
    if (length > room) {
      frames.push([]);
      room = MOST_FRAME;
    }
    frames.at(-1).push(request);
    room -= length;
  }
  return frames;
}

const packed = ([what, content]) =>
  concat(Uint8Array.of(what), bigEndian(content.length, 2), content);

function unpacked(frame) {
  const items = [];
  for (let at = 0; at < frame.length; ) {
    const end = at + ITEM_HEAD + number(frame.slice(at + 1, at + ITEM_HEAD));
    if (end > frame.length) throw new Failed("an answer that ends too early");
    items.push([frame[at], frame.slice(at + ITEM_HEAD, end)]);
    at = end;
  }
  return items;
}
