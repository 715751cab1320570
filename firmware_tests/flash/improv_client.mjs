// The browsers' own Improv client at a serial port: node improv_client.mjs SDK PORT STEPS
// STEPS is a JSON list of [method, argument, ...]; what each returned is printed as a JSON list.

import { constants, openSync } from "node:fs";
import { Readable, Writable } from "node:stream";
import { ReadStream, WriteStream } from "node:tty";

const [sdk, path, steps] = process.argv.slice(2);
const { ImprovSerial } = await import(sdk);
const open = () => openSync(path, constants.O_RDWR | constants.O_NOCTTY);
const port = {
  readable: Readable.toWeb(new ReadStream(open())),
  writable: Writable.toWeb(new WriteStream(open())),
};
const improv = new ImprovSerial(port, { log() {}, debug() {}, error: console.error });
const found = [];
for (const [method, ...words] of JSON.parse(steps)) {
  let answer;
  try {
    answer = { said: (await improv[method](...words)) ?? null };
  } catch (refusal) {
    answer = { refused: String(refusal) };
  }
  found.push({ ...answer, state: improv.state });
}
console.log(JSON.stringify(found));
process.exit(0); // whatever still reads the port
