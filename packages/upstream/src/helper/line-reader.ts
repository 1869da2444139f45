/**
 * Cuts a stream into lines, in bytes as ISO 8859-1 text, without line feed or CRLF. Of a line that is too long the
 * first `most` bytes are given, with `whole` false, as soon as they are there; the rest of it is dropped.
 */
export class LineReader {
  readonly #most: number;
  readonly #onLine: (line: string, whole: boolean) => void;
  #rest = '';
  #dropping = false;

  constructor(most: number, onLine: (line: string, whole: boolean) => void) {
    this.#most = most;
    this.#onLine = onLine;
  }

  push(bytes: Buffer): void {
    let from = 0;
    for (let feed = bytes.indexOf(0x0a); feed >= 0; feed = bytes.indexOf(0x0a, from)) {
      this.#take(bytes.toString('latin1', from, feed));
      this.#end();
      from = feed + 1;
    }
    this.#take(bytes.toString('latin1', from));
  }

  #take(text: string): void {
    if (this.#dropping) return;
    this.#rest += text;
    if (this.#rest.length <= this.#most) return;
    const line = this.#rest.slice(0, this.#most);
    this.#rest = '';
    this.#dropping = true;
    this.#onLine(line, false);
  }

  #end(): void {
    const line = this.#rest;
    const dropped = this.#dropping;
    this.#rest = '';
    this.#dropping = false;
    if (!dropped) this.#onLine(line.endsWith('\r') ? line.slice(0, -1) : line, true);
  }
}
