import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { downstreamSchema } from '@chain407/downstream';
import { RawConnection } from '@chain407/testkit';
import { upstreamSchema } from '@chain407/upstream';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { chain407, service, TOP } from './command.ts';
import { demoPorts } from './demo-ports.ts';

const FOLDER = join(TOP, 'configs');
const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'));
const scenarios = files.filter((name) => name.startsWith('scenarios'));
const README_LIMITS = /^### Limits$.*?(?=^### )/ms.exec(readFileSync(join(TOP, 'README.md'), 'utf8'))?.[0] ?? '';
/** What the references name as environment variables. */
const ENV = { CORP_PASSWORD: 'x', ALICE_PASSWORD: 'x', ROBOT_TOKEN: 'x' };

describe('the files under configs/', () => {
  test.each(files)('%s is good', async (name) => {
    const { status, stdout } = await chain407(['check', '-c', join(FOLDER, name)], { env: ENV });
    // The reference stands in front of a proxy beyond loopback; its password comes from the environment.
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });

  test.each(scenarios)('%s ends as its head says', async (name) => {
    const path = join(FOLDER, name);
    const text = readFileSync(path, 'utf8');
    const [, target = '', status] = /^# expect: GET (\S+) -> (\d+)$/m.exec(text) ?? [];
    const legs = /^# legs: {3}(.*)$/m.exec(text)?.[1];
    const chain = await service(['up', '--demo', '-c', path, ...(await demoPorts()), '--set', 'log.level=info']);
    const connection = await RawConnection.connect(Number(new URL(chain.ready.downstream?.url ?? '').port));
    const response = await connection.exchange(
      `GET ${target} HTTP/1.1\r\nHost: origin.test\r\nConnection: close\r\n\r\n`,
    );
    connection.destroy();
    const { stderr, stdout } = await chain.stop();
    expect(response.status).toBe(Number(status));
    // The first exchange is the demonstration's: nothing was known before it.
    const logged = stderr
      .split('\n')
      .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as { exchange?: string; legs?: string[] }] : []));
    expect(logged.find(({ exchange }) => exchange === 'd1')?.legs?.join(', ')).toBe(legs);
    expect(stdout).toContain('leg by leg');
  });

  test.each([
    ['downstream.yaml', 'downstream'],
    ['upstream.yaml', 'upstream'],
  ])('%s runs as it stands', async (name, tier) => {
    const started = await service([tier, '-c', join(FOLDER, name), '--set', `${tier}.listen=127.0.0.1:0`], {
      env: ENV,
    });
    expect((await started.stop()).status).toBe(0);
  });

  test.each([
    ['downstream.yaml', downstreamSchema],
    ['upstream.yaml', upstreamSchema],
  ])('%s and the README tell the limits as they are', (name, schema) => {
    const tier = name.replace('.yaml', '');
    const section = (parse(readFileSync(join(FOLDER, name), 'utf8')) as Record<string, { limits: object }>)[tier];
    const limits = section?.limits ?? {};
    const defaults = schema(FOLDER).parse({ ...section, limits: undefined }).limits;
    expect(schema(FOLDER).parse(section).limits).toEqual(defaults);
    expect(Object.keys(limits).sort()).toEqual(Object.keys(defaults).sort());
    const rows = [...README_LIMITS.matchAll(/^\| `(\w+)` \| (\w+)(?: \((?:upstream: (\w+)|off)\))? \|/gm)];
    const told = rows.map(([, key, both, upstream]) => [key, (tier === 'upstream' && upstream) || both]);
    const own = told.filter(([key]) => tier === 'downstream' || !key?.startsWith('replay'));
    const written = Object.entries(limits).map(([key, value]) => [key, String(value)]);
    expect(own.sort()).toEqual(written.sort());
  });
});
