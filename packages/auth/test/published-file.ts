import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.env.CHAIN407_DATA ?? '';

/** What others have published, from a folder outside of this repository: `CHAIN407_DATA`. `undefined`: there is none. */
export function publishedFile(name: string): unknown {
  return folder === '' ? undefined : JSON.parse(readFileSync(join(folder, name), 'utf8'));
}

/** True in CI where nobody has said, by an empty variable, that there is no data. */
export function dataIsMissed(): boolean {
  return !/^(?:|0|false)$/.test(process.env.CI ?? '') && process.env.CHAIN407_DATA === undefined;
}
