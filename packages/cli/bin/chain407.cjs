#!/usr/bin/env node
// Names are looked up in threads of Node's pool, in half of four unless it is told before it is first used, and a name whose
// servers are silent keeps one for many seconds. To be that early takes a script that is no module.
process.env.UV_THREADPOOL_SIZE ??= '64';

// The command itself is compiled; in a checkout it may not be there yet.
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const main = join(__dirname, '..', 'dist', 'main.js');
if (existsSync(main)) {
  import('../dist/main.js');
} else {
  process.stderr.write('chain407: not built yet; run: npm run build\n');
  process.exitCode = 1;
}
