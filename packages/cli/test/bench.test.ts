import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { temporaryFolder } from './command.ts';

const script = fileURLToPath(new URL('../../../scripts/bench.mjs', import.meta.url));

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function bench(args: readonly string[], path = process.env.PATH ?? ''): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], { env: { ...process.env, PATH: path } }, (error, stdout, stderr) => {
      resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

describe('the bench', () => {
  test('measures a row, and tells what each round has seen', async () => {
    const short = ['--peers', 'chain407', '--seconds', '1', '--rounds', '1', '--json'];
    const { status, stdout } = await bench(['--rows', 'get-1k-basic,tunnel-up', ...short]);
    const report = JSON.parse(stdout);
    expect({ status, ...report }).toMatchObject({
      status: 0,
      seconds: 1,
      rounds: 1,
      missing: [],
      lines: [
        { row: 'get-1k-basic', unit: 'request', contestant: 'chain407', peer: 'chain407', ratios: {} },
        { row: 'tunnel-up', unit: 'gigabyte', contestant: 'chain407', peer: 'chain407', ratios: {} },
      ],
      targets: [],
    });
    for (const { rounds, throughput, p50, p99 } of report.lines) {
      expect(rounds).toHaveLength(1);
      expect(throughput).toBeGreaterThan(0);
      expect(p99).toBeGreaterThanOrEqual(p50);
    }
  });

  test('lets a measurement that failed count for nothing, and says so', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'haproxy'), '#!/bin/sh\necho cannot bind\nexit 1\n', { mode: 0o755 });
    const { status, stdout } = await bench(
      ['--rows', 'get-1k-basic', '--peers', 'haproxy', '--seconds', '1'],
      `${folder}${delimiter}${process.env.PATH}`,
    );
    rmSync(folder, { recursive: true });
    expect(status).toBe(1);
    expect(stdout).toMatch(/^get-1k-basic +haproxy +failed: 1 error( +-){6}$/m);
    expect(stdout).toContain(
      'get-1k-basic: haproxy failed: 1 error, first: haproxy did not start; it said:\ncannot bind\n',
    );
  });

  test.each([
    [['--rows', 'get-2k'], 'no row get-2k; expected some of get-1k-basic, '],
    [['--peers', 'apache'], 'no peer apache; expected some of chain407, haproxy, '],
    [['--rounds', '0'], 'expected --rounds to be a whole number, at least 1, got 0'],
    [['--second', '1'], "Unknown option '--second'"],
  ])('refuses %j', async (args, message) => {
    const { status, stdout, stderr } = await bench(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  test('shows which rows there are', async () => {
    const { status, stdout } = await bench(['--list']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^get-1k-basic +1 KB GET, Basic substituted$/m);
  });
});
