// A lock's service over Web Bluetooth. Nothing here knows what a message says.

import { NOTIFY, SERVICE, WRITE } from "./words.js";
import { Cutter, FrameError, Joiner } from "./frames.js";

const NEAR_MS = 2_500; // a click is good for a dialogue for twice as long
const CONNECT_MS = 10_000;
const READY_MS = 5_000; // to be heard by a lock that one is connected to, and greeted
const ANSWER_MS = 20_000; // two handshakes' worth of an ESP32's time
const LEAST_PIECE = 20; // what the smallest MTU has room for
const MOST_TRIES = 3;
const BRAKE = 8; // every so many pieces one waits until the lock has it

/** The connection is over, or the lock says nothing any more. */
export class Gone extends Error {}

export const isThere = () => navigator.bluetooth !== undefined;

/**
 * The radio of a lock: the one with this id, which was picked before, if the browser remembers it
 * and it is near. Else the person picks one in the browser's own dialogue; only after a click.
 */
export async function find(id) {
  const known = (await navigator.bluetooth.getDevices?.()) ?? [];
  const before = known.find((device) => device.id === id);
  if (before && (await isNear(before))) return before;
  return navigator.bluetooth.requestDevice({ filters: [{ services: [SERVICE] }] });
}

/** Whether it can be connected to, which it is then. A lock has a new address every now and then. */
async function isNear({ gatt }) {
  const late = setTimeout(() => gatt.disconnect(), NEAR_MS);
  try {
    await gatt.connect();
    return true;
  } catch {
    return false;
  } finally {
    clearTimeout(late);
  }
}

/** A connection to a lock: `open` it, then `send` and `receive` messages, and `close` it. */
export class Door {
  #device; #write; #cutter; #joiner;
  #messages; // that nobody asked for yet
  #waiting = null; // who asked
  #isGone;
  // Web Bluetooth tells no MTU, and cuts off what is above it. What the lock fits into a
  // notification fits into a write, too.
  #most = LEAST_PIECE;

  constructor(device) {
    this.#device = device;
  }

  /**
   * Connect, and wait until the lock has greeted. A connection that is just ending, of another tab
   * or of the visit before, may be taken for a new one: then the lock ends it, or nobody
   * hears what one says, and one tries again.
   */
  async open() {
    this.#device.addEventListener("gattserverdisconnected", this.#ended);
    for (let tries = 1; ; tries++) {
      try {
        await this.#connect();
        this.#messages.unshift(await this.receive(READY_MS));
        return;
      } catch (error) {
        // The browser has many names for what a connection that ends under its hands makes of it.
        const isLost = this.#isGone || error instanceof Gone || error instanceof DOMException;
        if (!isLost || error.name === "AbortError" || tries === MOST_TRIES) throw error;
        this.#device.gatt.disconnect();
      }
    }
  }

  async #connect() {
    [this.#cutter, this.#joiner] = [new Cutter(), new Joiner()];
    [this.#messages, this.#isGone] = [[], false];
    const server = await this.#within(CONNECT_MS, this.#device.gatt.connect());
    await this.#within(READY_MS, this.#subscribe(server));
  }

  async #subscribe(server) {
    const service = await server.getPrimaryService(SERVICE);
    this.#write = await service.getCharacteristic(WRITE);
    const notify = await service.getCharacteristic(NOTIFY);
    notify.addEventListener("characteristicvaluechanged", this.#came);
    await notify.startNotifications();
    // The lock cannot see who listens.
    await this.#write.writeValueWithoutResponse(this.#cutter.empty());
  }

  /** Give up what takes longer: it fails when there is no connection any more. */
  #within(ms, promise) {
    const late = setTimeout(() => this.#device.gatt.disconnect(), ms);
    return promise.finally(() => clearTimeout(late));
  }

  close() {
    this.#device.removeEventListener("gattserverdisconnected", this.#ended);
    this.#device.gatt.disconnect();
  }

  async send(message) {
    const pieces = this.#cutter.cut(message, this.#most);
    for (const [at, piece] of pieces.entries()) {
      if ((at + 1) % BRAKE) await this.#write.writeValueWithoutResponse(piece);
      else await this.#write.writeValueWithResponse(piece);
    }
  }

  /** The next message. Raises Gone. */
  async receive(patience = ANSWER_MS) {
    if (this.#messages.length) return this.#messages.shift();
    if (this.#isGone) throw new Gone();
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => this.#waiting?.(null), patience);
      this.#waiting = (message) => {
        this.#waiting = null;
        clearTimeout(late);
        if (message) resolve(message);
        else reject(new Gone());
      };
    });
  }

  #came = (event) => {
    const { buffer, byteOffset, byteLength } = event.target.value;
    const piece = new Uint8Array(buffer, byteOffset, byteLength).slice();
    this.#most = Math.max(this.#most, piece.length);
    try {
      this.#messages.push(...this.#joiner.join(piece));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#ended();
    }
    if (this.#messages.length && this.#waiting) this.#waiting(this.#messages.shift());
  };

  #ended = () => {
    this.#isGone = true;
    this.#waiting?.(null);
  };
}
