import { valuesOf } from '@chain407/core';
import { RawConnection, scriptedUpstream } from '@chain407/testkit';
import { afterEach, describe, expect, test } from '@jest/globals';
import { cleanUp, closeLater, run } from './support.ts';

afterEach(cleanUp);

const DIGEST = 'Digest realm="r", nonce="n", qop="auth"';
/** The bytes of a type 2 that has everything, by its offsets (MS-NLMP §2.2.1.2). */
function type2(change: (bytes: Buffer) => Buffer = (bytes) => bytes): string {
  const bytes = Buffer.alloc(64);
  bytes.write('NTLMSSP\0', 'latin1');
  bytes.writeUInt32LE(2, 8);
  // Unicode, NTLM, target info.
  bytes.writeUInt32LE(0x00800201, 20);
  bytes.writeUInt16LE(8, 40);
  bytes.writeUInt16LE(8, 42);
  bytes.writeUInt32LE(56, 44);
  // MsvAvNbDomainName "D", the end follows.
  bytes.writeUInt16LE(2, 56);
  bytes.writeUInt16LE(2, 58);
  bytes.write('D\0', 60, 'latin1');
  return change(bytes).toString('base64');
}
const at = (offset: number, value: number) =>
  type2((bytes) => {
    bytes.writeUInt16LE(value, offset);
    return bytes;
  });

/** What an upstream says, and what the page says of it. */
const FIRST_LEG: readonly (readonly [what: string, line: string, said: string])[] = [
  ['Digest without a nonce', 'Digest realm="r", qop="auth"', 'without nonce'],
  ['Digest without a realm', 'Digest nonce="n", qop="auth"', 'without realm'],
  ['Digest of an unknown algorithm', `${DIGEST}, algorithm=MD6`, 'unknown algorithm'],
  ['Digest of an unknown qop', 'Digest realm="r", nonce="n", qop="auth-conf"', 'unknown qop'],
  ['Digest without qop, where RFC 2069 is not configured', 'Digest realm="r", nonce="n"', 'qop'],
  ['Digest that says a parameter twice', 'Digest realm="r", nonce="n", nonce="m"', 'no challenge that can be read'],
  ['Digest cut in a quoted text', 'Digest realm="r", nonce="n', 'no challenge that can be read'],
  ['Digest with a token', 'Digest abcdef==', 'without'],
  ['NTLM that opens with a token', `NTLM ${type2()}`, 'type 1 is for the client to send'],
  ['a scheme that nobody knows', 'Vapid t=1', 'offers vapid'],
];

const SECOND_LEG: readonly (readonly [what: string, token: string, said: string])[] = [
  ['no base64', '%%%', 'no challenge'],
  ['base64 of nothing that NTLM knows', Buffer.from('hello world').toString('base64'), 'type 1'],
  ['a type 2 that is cut', type2((bytes) => bytes.subarray(0, 40)), 'type 1'],
  ['a type 2 of 8 bytes', type2((bytes) => bytes.subarray(0, 8)), 'type 1'],
  ['a type 1 in place of a type 2', at(8, 1), 'type 1'],
  ['target info past the end', at(40, 0xffff), 'type 1'],
  ['target info at an offset past the end', at(44, 0xffff), 'type 1'],
  ['an AV pair past the end', at(58, 0x7fff), 'type 2'],
  ['no Unicode', at(20, 0x0200), 'no Unicode'],
  ['no target info, for NTLMv1', at(40, 0), 'NTLMv1'],
];

async function ask(
  advertise: readonly string[],
  challenges: readonly string[],
  schemes: readonly ('digest' | 'ntlm')[],
) {
  const upstream = await scriptedUpstream({
    advertise,
    accept: (credentials) => (credentials === undefined ? 'reject' : { challenges }),
  });
  closeLater(() => upstream.close());
  const downstream = await run({ upstreams: [upstream.port], schemes });
  const connection = await RawConnection.connect(downstream.port);
  closeLater(() => connection.destroy());
  const { status, headers } = await connection.exchange(
    'GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n\r\n',
  );
  const again = await connection.exchange('GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n');
  return {
    status,
    said: valuesOf(headers, 'proxy-status').join(),
    sent: upstream.requests.flatMap(({ credentials }) => credentials ?? []),
    serves: again.status,
    guard: downstream.credential?.guard.state.phase,
  };
}

describe('a challenge that cannot be answered: nothing is sent, and the page says what was wrong', () => {
  test.each(FIRST_LEG)('%s', async (_what, line, said) => {
    const result = await ask([line], [], ['digest', 'ntlm']);
    expect(result).toMatchObject({ status: 407, sent: [], serves: 502, guard: 'unproven' });
    expect(result.said).toContain(said);
  });

  test.each([
    ['a nonce of a megabyte', `Digest realm="r", qop="auth", nonce="${'n'.repeat(1024 * 1024)}"`],
    ['a control character', 'Digest realm="\x01", nonce="n", qop="auth"'],
  ])('%s: the head cannot be read', async (_what, line) => {
    const result = await ask([line], [], ['digest']);
    expect(result).toMatchObject({ status: 502, sent: [], guard: 'unproven' });
  });
});

describe('an answer to NTLM type 1 that cannot be answered: no type 3 is sent, and nothing is counted', () => {
  test.each(SECOND_LEG)('%s', async (_what, token, said) => {
    const result = await ask(['NTLM'], [`NTLM ${token}`], ['ntlm']);
    expect(result).toMatchObject({ status: 407, serves: 502, guard: 'unproven' });
    expect(result.said).toContain(said);
    expect(result.sent).toHaveLength(1);
    expect(Buffer.from(result.sent[0]?.split(' ')[1] ?? '', 'base64').readUInt32LE(8)).toBe(1);
  });
});
