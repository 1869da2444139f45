import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const install = fileURLToPath(new URL('peers/install', import.meta.url));

/** Says in the last line of the run which peers were not there; in CI that, or any test left out, is a failure. */
export default class InteropReporter {
  #leftOut;

  onRunComplete(_contexts, { numPendingTests }) {
    const missing = execFileSync(install, ['--missing'], { encoding: 'utf8' }).trim().split(/\s+/).filter(Boolean);
    if (missing.length > 0) {
      const verb = missing.length === 1 ? 'is' : 'are';
      this.#leftOut = `skipped: ${missing.join(', ')} ${verb} not installed (scripts/peers/install)`;
    } else if (numPendingTests > 0) this.#leftOut = `skipped: ${numPendingTests} tests, though all peers are installed`;
    // Jest writes its own summary after this has returned. To stdout: whoever keeps that alone has to see this as well.
    if (this.#leftOut !== undefined) process.once('exit', () => process.stdout.write(`${this.#leftOut}\n`));
  }

  getLastError() {
    if (this.#leftOut !== undefined && process.env.CI === 'true') return new Error(this.#leftOut);
  }
}
