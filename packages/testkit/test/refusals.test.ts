import { afterEach, describe, expect, test } from '@jest/globals';
import type { ChainConfig } from '../src/chain-config.ts';
import type { Chain, Judgement, ScriptedUpstream, ScriptedUpstreamOptions } from '../src/index.ts';
import { RawConnection, scriptedUpstream, startChain } from '../src/index.ts';

/** Proxies that refuse in other ways than by a plain 407: the account must not be tried again and again for that. */
// MS-NLMP §4.2.4.3, the type 2 of the NTLMv2 example.
const TYPE_2 =
  'TlRMTVNTUAACAAAADAAMADgAAAAzgoriASNFZ4mrze8AAAAAAAAAACQAJABEAAAABgBwFwAAAA9TAGUAcgB2AGUAcgACAAwARABvAG0AYQBpAG4AAQAMAFMAZQByAHYAZQByAAAAAAA=';
const GET = 'GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n\r\n';
const CONNECT = 'CONNECT origin.test:80 HTTP/1.1\r\nHost: origin.test:80\r\n\r\n';

let chain: Chain;
let upstream: ScriptedUpstream;

afterEach(async () => {
  await chain.close();
  await upstream.close();
});

async function behind(options: ScriptedUpstreamOptions, schemes: readonly string[]): Promise<void> {
  upstream = await scriptedUpstream(options);
  const account = { username: 'alice', password: { value: 'secret' }, schemes };
  const config: ChainConfig = {
    downstream: { credentials: { corp: account }, upstreams: { corp: { url: upstream.url } } },
  };
  chain = await startChain(config);
}

/** Requests one after the other, each on a connection of its own; what each got. */
async function ask(request: string, times: number): Promise<string[]> {
  const answers: string[] = [];
  for (let i = 0; i < times; i += 1) {
    const client = await RawConnection.connect(chain.downstream.port);
    const { status, headers } = await client.exchange(request);
    answers.push(`${status} ${/details="[^"]*"/.exec(headers.join(' '))?.[0] ?? ''}`);
    client.destroy();
  }
  return answers;
}

const attempts = (): number =>
  upstream.requests.filter(({ credentials = 'TlRMTVNTUAAB' }) => !credentials.includes('TlRMTVNTUAAB')).length;

describe.each([
  ['GET', GET],
  ['CONNECT', CONNECT],
])('%s', (_method, request) => {
  test.each([
    ['ntlm', 'NTLM'],
    ['negotiate', 'Negotiate'],
  ])('%s: a proxy that answers every token with a token is tried once', async (scheme, name) => {
    const accept = (credentials: string | undefined): Judgement =>
      credentials === undefined ? 'reject' : { challenges: [`${name} ${TYPE_2}`] };
    await behind({ advertise: [name], accept }, [scheme]);
    const [first, ...later] = await ask(request, 4);
    expect(first).toMatch(/^407 details="credentials not recognised: /);
    expect(later).toEqual(later.map(() => expect.stringMatching(/^407 details="credentials held back: /)));
    expect(attempts()).toBe(1);
  });

  test('digest: a proxy that calls every nonce stale gets two answers, and no more', async () => {
    let nonces = 0;
    const stale = (): Judgement => {
      nonces += 1;
      return { challenges: [`Digest realm="r", nonce="${nonces}", qop="auth", stale=true`] };
    };
    await behind({ accept: stale }, ['digest']);
    const answers = await ask(request, 4);
    expect(answers[0]).toMatch(/^407 details="credentials not recognised: /);
    expect(answers.at(-1)).toMatch(/^407 details="credentials held back: /);
    expect(attempts()).toBe(2);
  });

  test.each([
    ['with Proxy-Authenticate', [['Proxy-Authenticate', 'Basic realm="r"']] as const],
    ...(request === CONNECT
      ? [['as tinyproxy does', [['WWW-Authenticate', 'Basic realm="r"']] as const] as const]
      : []),
  ])('basic: a proxy that answers wrong credentials with 401, %s, is tried once', async (_how, headers) => {
    const accept = (credentials: string | undefined): Judgement =>
      credentials === undefined ? 'reject' : { status: 401, headers: headers.map(([name, value]) => [name, value]) };
    await behind({ accept }, ['basic']);
    const [first, ...later] = await ask(request, 4);
    expect(first).toMatch(/^407 details="credentials not recognised: /);
    expect(later).toEqual(later.map(() => expect.stringMatching(/^407 details="credentials held back: /)));
    expect(attempts()).toBe(1);
  });
});

test('a 401 that may be the origin’s goes to the client, and proves nothing: what is found out next counts', async () => {
  let known = 401;
  const accept = (credentials: string | undefined): Judgement =>
    credentials === undefined ? 'reject' : { status: known, headers: [['WWW-Authenticate', 'Basic realm="site"']] };
  await behind({ accept }, ['basic']);
  expect(await ask(GET, 2)).toEqual(['401 ', '401 ']);
  // Both had to ask first: nothing was remembered.
  expect(upstream.requests.map(({ credentials }) => credentials !== undefined)).toEqual([false, true, false, true]);
  known = 200;
  await ask(GET, 2);
  expect(upstream.requests.slice(4).map(({ credentials }) => credentials !== undefined)).toEqual([false, true, true]);
});
