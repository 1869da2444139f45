import { LineReader } from './line-reader.ts';
import { characters, oneLine } from './replies.ts';

/** In bytes; a log line of one screen or two. */
const MOST_OF_A_LINE = 1_024;
/** Lines a minute; a helper in debug mode writes dozens for each request. */
const MOST_LINES = 100;
const MINUTE = 60_000;

/** What a program writes to its standard error, for the log: printable, bounded in length and number. */
export class StderrLog {
  /** The last line that was not empty. */
  last: string | undefined;
  readonly #log: (line: string) => void;
  readonly #lines = new LineReader(MOST_OF_A_LINE, (line) => this.#onLine(line));
  #minute = 0;
  #count = 0;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  push(bytes: Buffer): void {
    this.#lines.push(bytes);
  }

  #onLine(bytes: string): void {
    const line = oneLine(characters(bytes));
    if (line === '') return;
    this.last = line;
    const minute = Math.floor(Date.now() / MINUTE);
    this.#count = minute === this.#minute ? this.#count + 1 : 1;
    this.#minute = minute;
    if (this.#count < MOST_LINES) this.#log(line);
    else if (this.#count === MOST_LINES) this.#log('it writes more than is shown here');
  }
}
