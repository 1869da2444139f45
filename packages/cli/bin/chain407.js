#!/usr/bin/env node
// The command itself is compiled; in a checkout it may not be there yet.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(fileURLToPath(main))) {
  await import(main.href);
} else {
  process.stderr.write('chain407: not built yet; run: npm run build\n');
  process.exitCode = 1;
}
