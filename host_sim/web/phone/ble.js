// A lock's service over Web Bluetooth. Nothing here knows what a message says.

import { NOTIFY, SERVICE, WRITE } from "./words.js";
import { Cutter, FrameError, Joiner } from "./frames.js";

const ANSWER_MS = 20_000; // two handshakes' worth of an ESP32's time
const LEAST_PIECE = 20; // what the smallest MTU has room for
const BRAKE = 8; // every so many pieces one waits until the lock has it

/** The connection is over, or the lock says nothing any more. */
export class Gone extends Error {}

export const isThere = () => navigator.bluetooth !== undefined;

/** A lock that the person picks in the browser's own dialogue; only after a click. */
export const choose = () =>
  navigator.bluetooth.requestDevice({ filters: [{ services: [SERVICE] }] });

/** A connection to a lock: `open` it, then `send` and `receive` messages, and `close` it. */
export class Door {
  #device; #write;
  #cutter = new Cutter();
  #joiner = new Joiner();
  #messages = []; // that nobody asked for yet
  #waiting = null; // who asked
  #isGone = false;
  // Web Bluetooth tells no MTU, and cuts off what is above it. What the lock fits into a
  // notification fits into a write, too.
  #most = LEAST_PIECE;

  constructor(device) {
    this.#device = device;
  }

  async open() {
    this.#device.addEventListener("gattserverdisconnected", this.#ended);
    const server = await this.#device.gatt.connect();
    const service = await server.getPrimaryService(SERVICE);
    this.#write = await service.getCharacteristic(WRITE);
    const notify = await service.getCharacteristic(NOTIFY);
    notify.addEventListener("characteristicvaluechanged", this.#came);
    await notify.startNotifications();
    // The lock cannot see who listens.
    await this.#write.writeValueWithoutResponse(this.#cutter.empty());
  }

  close() {
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
  async receive() {
    if (this.#messages.length) return this.#messages.shift();
    if (this.#isGone) throw new Gone();
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => this.#waiting?.(null), ANSWER_MS);
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
