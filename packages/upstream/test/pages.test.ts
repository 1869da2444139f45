import { REFUSALS } from '@chain407/core';
import { RawConnection } from '@chain407/testkit';
import { afterEach, describe, expect, test } from '@jest/globals';
import { ALICE, AS_ALICE, basic, cleanUp, closeLater, runUpstream } from './running-upstream.ts';

afterEach(cleanUp);

const TIER = {
  users: [ALICE],
  realm: 'The "lab"',
  access: [{ deny: { to: ['denied.test'] }, status: 407 }, { deny: { to: ['forbidden.test'] } }, { allow: {} }],
};

const REASONS: readonly (readonly [
  reason: keyof typeof REFUSALS,
  host: string,
  fields: string,
  status: number,
  says: RegExp,
])[] = [
  ['missing', 'a.test', '', 407, /without credentials/],
  ['unsupported', 'a.test', 'Proxy-Authorization: Bearer abc\r\n', 407, /scheme/],
  ['unrecognised', 'a.test', `Proxy-Authorization: ${basic('alice:wrong')}\r\n`, 407, /not recognised/],
  ['unrecognised', 'a.test', `Proxy-Authorization: ${basic('nobody:x')}\r\n`, 407, /not recognised/],
  ['notPermitted', 'denied.test', AS_ALICE, 407, /not permitted/i],
  ['notPermitted', 'forbidden.test', AS_ALICE, 403, /not permitted/i],
];

const TARGETS = [
  [
    'a plain request',
    (host: string, fields: string) => `GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`,
  ],
  ['CONNECT', (host: string, fields: string) => `CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n${fields}\r\n`],
] as const;

async function answerTo(request: string) {
  const { port } = await runUpstream(TIER);
  const connection = await RawConnection.connect(port);
  closeLater(() => connection.destroy());
  const { status, headers, body } = await connection.exchange(request);
  const field = (name: string): string => headers[headers.indexOf(name) + 1] ?? '';
  return { status, headers, field, page: body.toString() };
}

describe.each(TARGETS)('the page for %s', (_what, request) => {
  test.each(REASONS)('%s (%s) says why, by sign, cause and remedy', async (reason, host, fields, status, says) => {
    const answer = await answerTo(request(host, fields));
    expect(answer.status).toBe(status);
    expect(answer.field('Proxy-Status')).toMatch(
      new RegExp(`^chain407-upstream; error=http_request_denied; details="${REFUSALS[reason]}`),
    );
    expect(answer.page).toMatch(says);
    expect(answer.page).toMatch(/^Symptom: .+\nCause: .+\nRemedy: .+$/m);
    expect(answer.field('Content-Type')).toBe('text/plain; charset=utf-8');
    // A 407 always has a challenge, nothing else ever has one (RFC 9110 §15.5.8).
    const challenges = answer.headers.filter((name) => name === 'Proxy-Authenticate');
    expect(challenges).toHaveLength(status === 407 ? 1 : 0);
    if (status === 407) expect(answer.field('Proxy-Authenticate')).toBe('Basic realm="The \\"lab\\"", charset="UTF-8"');
  });

  test('is HTML for who wants that, and shows nothing of the client unescaped', async () => {
    const accept = 'Accept: text/html,*/*;q=0.1\r\n';
    const answer = await answerTo(request('denied.test', `${AS_ALICE}${accept}X: <script>\r\n`));
    expect(answer.field('Content-Type')).toBe('text/html; charset=utf-8');
    expect(answer.page).toMatch(
      /^<!doctype html>[\s\S]*<dt>Symptom<\/dt>[\s\S]*<dt>Cause<\/dt>[\s\S]*<dt>Remedy<\/dt>/,
    );
    expect(answer.page).not.toContain('<script>');
  });
});

describe('the three remedies: correct credentials, an account that is permitted, anonymous access', () => {
  test.each(REASONS.filter(([reason]) => reason === 'missing' || reason === 'unrecognised'))(
    'are all told (%s, %s)',
    async (_reason, host, fields) => {
      const { page } = await answerTo(TARGETS[0][1](host, fields));
      expect(page).toMatch(/correct credentials/i);
      expect(page).toMatch(/account that is permitted/);
      expect(page).toMatch(/anonymous access/);
    },
  );
});

test('a user who does not exist and a password that is wrong get the same page', async () => {
  const [wrong, unknown] = await Promise.all(
    ['alice:wrong', 'nobody:wrong'].map((userPass) =>
      answerTo(TARGETS[0][1]('a.test', `Proxy-Authorization: ${basic(userPass)}\r\n`)),
    ),
  );
  expect(wrong?.page).toBe(unknown?.page);
});

test.each(['Basic', 'Basic !', 'Basic YWxpY2U=', 'Basic a b', '"'])(
  'credentials that cannot be read (%j) are 400',
  async (value) => {
    const answer = await answerTo(TARGETS[0][1]('a.test', `Proxy-Authorization: ${value}\r\n`));
    expect(answer.status).toBe(400);
    expect(answer.field('Connection')).toBe('close');
  },
);
