import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startChain } from '@chain407/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import '@chain407/testkit/jest';
import type { Finished, Service } from '../command.ts';
import { chain407, service, TOP, temporaryFolder } from '../command.ts';
import { demoPorts } from '../demo-ports.ts';
import { freePort } from './free-port.ts';
import { describeWith } from './peers.ts';

/** Every command of the README is run, on other ports; a command that no row knows fails. */
const README = readFileSync(join(TOP, 'README.md'), 'utf8');
const SCRIPTS = (JSON.parse(readFileSync(join(TOP, 'package.json'), 'utf8')) as { scripts: Record<string, string> })
  .scripts;
const CI = readFileSync(join(TOP, '.ci/run'), 'utf8');

function blocks(language: string): string[] {
  return [...README.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, name, text = '']) =>
    name === language ? [text] : [],
  );
}

const commands = blocks('sh')
  .flatMap((block) => block.split('\n'))
  .map((line) => line.replace(/ +#.*$/, '').trim())
  .filter((line) => line !== '');

let chain: Service;
const corp = join(temporaryFolder(), 'corp.yaml');
const ENV = { CORP_PASSWORD: 'x' };

beforeAll(async () => {
  chain = await service(['up', '--demo', '-c', 'configs/chain.yaml', ...(await demoPorts())]);
  writeFileSync(corp, blocks('yaml').find((block) => block.includes('# corp.yaml')) ?? '');
});

afterAll(() => chain.stop());

/** The command's words, with the ports of this run in place of the default ones. */
function words(command: string): string[] {
  return command
    .replace(
      /(\w+:\w+@)?127\.0\.0\.1:3128/,
      (_all, account = '') => `${account}${new URL(chain.ready.downstream?.url ?? '').host}`,
    )
    .replace(
      /(\w+:\w+@)?127\.0\.0\.1:3129/,
      (_all, account = '') => `${account}${new URL(chain.ready.upstream?.url ?? '').host}`,
    )
    .replace('corp.yaml', corp)
    .split(' ');
}

async function curl(command: string): Promise<string> {
  const [, ...args] = words(command);
  const { stdout } = await promisify(execFile)('curl', ['-s', '-w', '\n%{http_code}', '--noproxy', '', ...args]);
  return stdout;
}

const cli = (command: string): Promise<Finished> => chain407(words(command).slice(2), { env: ENV });

interface Row {
  readonly command: RegExp;
  readonly run: (command: string) => Promise<void> | void;
}

/** `npm ci` has been run by whoever runs this; `.ci/run` runs the scripts from a clean checkout. */
const script = (name: string) => (): void => {
  expect(SCRIPTS).toHaveProperty(name);
  expect(CI).toContain('npm ci');
  if (name !== 'start') expect(CI).toMatch(new RegExp(`npm (run )?${name}\\b`));
};

const ROWS: readonly Row[] = [
  {
    command: /^npm ci && npm start$/,
    run: async () => {
      script('start')();
      const [, args = ''] = /chain407\.cjs (.*)$/.exec(SCRIPTS.start ?? '') ?? [];
      const started = await service([...args.split(' '), ...(await demoPorts())]);
      const { status, stdout } = await started.stop();
      expect(stdout).toContain('Basic username=alice password=[secret]');
      expect(status).toBe(0);
    },
  },
  { command: /^npm ci && npm test$/, run: script('test') },
  { command: /^npm ci && npm run build$/, run: () => expect(SCRIPTS).toHaveProperty('build') },
  { command: /^npm run check$/, run: script('check') },
  { command: /^npm run interop$/, run: script('interop') },
  { command: /^npm run fuzz$/, run: script('fuzz') },
  { command: /^npm run soak$/, run: script('soak') },
  {
    command: /^npm run bench$/,
    run: async () => {
      expect(SCRIPTS.bench).toContain('scripts/bench.mjs');
      const { stdout } = await promisify(execFile)('node', ['scripts/bench.mjs', '--list'], { cwd: TOP });
      expect(stdout).toContain('get-1k-basic');
    },
  },
  {
    command: /^curl -x http:\/\/127.0.0.1:3128 /,
    run: async (command) => expect(await curl(command)).toMatch(/\n200$/),
  },
  {
    command: /^curl -x http:\/\/127.0.0.1:3129 /,
    run: async (command) => expect(await curl(command)).toMatch(/Credentials missing[\s\S]*\n407$/),
  },
  {
    command: /^curl -x http:\/\/alice:wrong@/,
    run: async (command) => expect(await curl(command)).toMatch(/not recognised[\s\S]*\n407$/),
  },
  {
    command: /^npx chain407 trace /,
    run: async (command) =>
      expect(await cli(command)).toMatchObject({ status: 0, stdout: expect.stringContaining('It works.') }),
  },
  {
    command: /^npx chain407 check -c corp\.yaml$/,
    run: async (command) => expect((await cli(command)).status).toBe(0),
  },
  {
    command: /^npx chain407 downstream -c corp\.yaml$/,
    run: async (command) => {
      const [, , ...args] = words(command);
      const started = await service([...args, '--set', `downstream.listen=127.0.0.1:${await freePort()}`], {
        env: ENV,
      });
      expect((await started.stop()).status).toBe(0);
    },
  },
];

describeWith(['curl'], 'the README', () => {
  test.each(commands)('%s', async (command) => {
    const row = ROWS.find((one) => one.command.test(command));
    expect(row?.command).toBeDefined();
    await row?.run(command);
  });

  test('its example for the testkit runs as it stands', async () => {
    const [example = ''] = blocks('ts');
    const imports = example.match(/^import .*$/gm);
    expect(imports).toHaveLength(3);
    const body = example.replace(/^import .*$/gm, '');
    const run = new Function('get', 'startChain', 'expect', `return (async () => {${body}})()`) as (
      ...args: unknown[]
    ) => Promise<void>;
    await run(http.get, startChain, expect);
    expect.assertions(3);
  });

  test('every file that it links to is there', () => {
    const links = [...README.matchAll(/\]\(([^)#:]+)\)/g)].map(([, link = '']) => link);
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((link) => !existsSync(join(TOP, link)))).toEqual([]);
  });
});
