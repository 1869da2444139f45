import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe } from '@jest/globals';

const install = fileURLToPath(new URL('../../../../scripts/peers/install', import.meta.url));
const missing = execFileSync(install, ['--missing'], { encoding: 'utf8' }).split(/\s+/);

/** A group of tests that needs these packages. Where one is missing they are left out, which the reporter says at the end. */
export function describeWith(packages: readonly string[], name: string, tests: () => void): void {
  if (packages.some((one) => missing.includes(one))) describe.skip(name, tests);
  else describe(name, tests);
}
