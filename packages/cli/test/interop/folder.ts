import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for one process or one run; {@link remove} is called by whoever made it. */
export function makeFolder(purpose: string): string {
  return mkdtempSync(join(tmpdir(), `chain407-${purpose}-`));
}

export function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
