import { appendFileSync, lstatSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { EXIT, Exit } from './exit.ts';

/** What `--ready-file` tells: where each tier that runs here listens, and the process. */
export interface Ready {
  readonly downstream?: { readonly url: string };
  readonly upstream?: { readonly url: string };
  readonly pid: number;
}

/** A pipe, a device, or a link, as /dev/stdout is one: nothing that may be replaced. */
const mustStay = (file: string): boolean => lstatSync(file, { throwIfNoEntry: false })?.isFile() === false;

/** Writes the file whole or not at all: whoever waits for it never reads half of it. */
export function writeReadyFile(file: string, ready: Ready): void {
  const text = `${JSON.stringify(ready)}\n`;
  const draft = `${file}.${process.pid}.tmp`;
  try {
    if (mustStay(file)) appendFileSync(file, text);
    else {
      writeFileSync(draft, text);
      renameSync(draft, file);
    }
  } catch (error) {
    rmSync(draft, { force: true });
    throw new Exit(EXIT.failed, `cannot write the ready file ${file}: ${(error as Error).message}`);
  }
}

/** A file that is left behind would tell the next reader of a process that has gone. */
export function removeReadyFile(file: string): void {
  if (!mustStay(file)) rmSync(file, { force: true });
}
