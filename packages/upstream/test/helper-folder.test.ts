import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { upstreamSchema } from '../src/config.ts';
import { HelperPool } from '../src/helper/helper-pool.ts';

test.each([
  ['a list', (argv: readonly string[]) => argv],
  ['a map', (argv: readonly string[]) => ({ argv })],
])(
  'a helper given as %s runs in the folder of the configuration, where its relative paths start',
  async (_how, written) => {
    const folder = mkdtempSync(join(tmpdir(), 'chain407-helper-'));
    // Answers with what it finds beside it.
    writeFileSync(join(folder, 'answer'), 'OK\n');
    const argv = ['/bin/sh', '-c', 'while read -r line; do cat ./answer; done'];
    const config = upstreamSchema(folder).parse({ auth: { schemes: ['basic'], helpers: { basic: written(argv) } } });
    const pool = new HelperPool(config.auth.helpers.basic as ConstructorParameters<typeof HelperPool>[0]);
    expect(await pool.start()).toEqual({ ok: true });
    expect(await pool.ask('alice secret')).toMatchObject({ reply: { result: 'OK' } });
    await pool.close();
    rmSync(folder, { recursive: true });
  },
);
