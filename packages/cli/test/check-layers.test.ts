import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

const script = fileURLToPath(new URL('../../../scripts/check-layers.mjs', import.meta.url));

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'chain407-layers-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Runs the check on a tree of these files. */
function check(
  files: Readonly<Record<string, string>>,
): Promise<{ readonly status: unknown; readonly stdout: string }> {
  for (const [file, text] of Object.entries(files)) {
    const path = join(root, 'packages', file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return new Promise((resolve) => {
    execFile(process.execPath, [script, root], (error, stdout) => resolve({ status: error?.code ?? 0, stdout }));
  });
}

describe('what the layer check refuses, at its line', () => {
  test.each<[file: string, source: string, line: number, complaint: string]>([
    ['auth/src/a.ts', "import { x } from '@chain407/core';", 1, 'auth may not import core'],
    ['core/src/a.ts', "import type { X } from '@chain407/downstream';", 1, 'core may not import downstream'],
    ['downstream/src/a.ts', "\nimport { x } from '@chain407/upstream';", 2, 'downstream may not import upstream'],
    ['upstream/src/deep/a.ts', "export { x } from '@chain407/downstream';", 1, 'upstream may not import downstream'],
    ['upstream/src/a.ts', "await import('@chain407/testkit');", 1, 'upstream may not import testkit'],
    ['core/src/a.ts', "import { x } from '../../auth/src/a.ts';", 1, 'leaves the package; import @chain407/auth'],
    ['auth/src/a.ts', "// é\n/* ü */\nimport { connect } from 'node:net';", 3, 'may not use connect of node:net'],
    ['auth/src/a.ts', "import { randomBytes } from 'crypto';", 1, 'may not use randomBytes of crypto'],
    ['auth/src/a.ts', "import { createHash, randomInt } from 'node:crypto';", 1, 'may not use randomInt'],
    ['auth/src/a.ts', "import * as crypto from 'node:crypto';", 1, 'may not use * of node:crypto'],
    ['auth/src/a.ts', 'export const now = () =>\n  Date.now();', 2, 'Date.now comes in as a parameter'],
    ['auth/src/a.ts', 'export const later = Date.now;', 1, 'Date.now comes in as a parameter'],
    ['auth/src/a.ts', 'export const now = new Date();', 1, 'the time comes in as a parameter'],
    ['auth/src/a.ts', "export const x = Math['random']();", 1, 'Math.random comes in as a parameter'],
    ['auth/src/a.ts', 'setTimeout(() => undefined, 1);', 1, 'may not use setTimeout'],
    ['auth/src/a.ts', 'export const x = globalThis.fetch;', 1, 'may not use globalThis'],
    ['auth/src/a.ts', 'export const x = (process as unknown);', 1, 'may not use process'],
    ['core/src/a.ts', 'process.exit(1);', 1, 'only cli may use process.exit'],
    ['testkit/src/a.ts', 'export const x = process.argv[2];', 1, 'only cli may use process.argv'],
    ['upstream/src/a.ts', "import { exit } from 'node:process';", 1, 'use the global process'],
    ['upstream/src/connect.ts', "import HttpProxy from 'http-proxy';", 1, 'http-proxy stays behind the guards'],
    ['downstream/src/forward.ts', "import HttpProxy from 'http-proxy';", 1, 'http-proxy stays behind the guards'],
    ['upstream/src/connect.ts', "const x = require('http-proxy');", 1, 'http-proxy stays behind the guards'],
    ['downstream/src/a.ts', "import { ProxyAgent } from 'proxy-agent';", 1, 'proxy-agent is for egress'],
    ['downstream/src/a.ts', "import { request } from 'node:http';", 1, 'by UpstreamConnection alone, not by request'],
    ['downstream/src/a.ts', "import https from 'https';", 1, 'by UpstreamConnection alone, not by default'],
    ['downstream/src/a.ts', "import { fetch } from 'undici';", 1, 'undici hides the socket'],
    ['cli/src/main.ts', "import { x } from '@chain407/testkit';", 1, 'loads the testkit by import() only'],
  ])('%s: %j', async (file, source, line, complaint) => {
    const { status, stdout } = await check({ [file]: source });
    expect(stdout.split('\n')[0]).toContain(`packages/${file}:${line}: `);
    expect(stdout).toContain(complaint);
    expect(status).toBe(1);
  });

  test('the testkit behind another file that the command always loads', async () => {
    const { stdout } = await check({
      'cli/src/main.ts': "import { run } from './run.ts';\nimport type { T } from './types.ts';",
      'cli/src/run.ts': "import { demo } from './demo.ts';",
      'cli/src/demo.ts': "import { startOrigin } from '@chain407/testkit';",
      'cli/src/types.ts': "import { startOrigin } from '@chain407/testkit';",
    });
    expect(stdout).toBe(
      'packages/cli/src/demo.ts:1: the command loads the testkit by import() only, where it is needed\n',
    );
  });

  test('a tree without packages, which is a wrong ROOT', async () => {
    await expect(check({})).resolves.toMatchObject({ status: 1 });
  });
});

test('what the rules allow passes', async () => {
  const outcome = await check({
    'auth/src/a.ts': `
      // Date.now() and process.exit() in a comment
      import { Buffer } from 'node:buffer';
      import { createHash, createHmac, getHashes, timingSafeEqual } from 'node:crypto';
      import type { Socket } from 'node:net';
      export interface Clock { readonly fetch: string; process(at: Date): void }
      export const text = 'process.exit() and fetch()';
      export const facts = { process: 1, at: new Date(0) }.process;`,
    'core/src/a.ts': "import { Secret } from '@chain407/auth';\nprocess.on('warning', () => undefined);",
    'downstream/src/a.ts': "import type { Agent } from 'node:http';\nimport { createServer } from 'node:http';",
    'upstream/src/forward.ts': "import HttpProxy from 'http-proxy';",
    'upstream/src/access.ts': "import type HttpProxy from 'http-proxy';",
    'upstream/src/egress.ts': "import { ProxyAgent } from 'proxy-agent';",
    'testkit/src/a.ts': "import { ProxyAgent } from 'proxy-agent';\nimport '@chain407/upstream';",
    'cli/src/main.ts': "const demo = await import('./demo.ts');\nprocess.exit(process.argv.length);",
    'cli/src/demo.ts': "import { startOrigin } from '@chain407/testkit';",
  });
  expect(outcome).toEqual({ status: 0, stdout: '' });
});
