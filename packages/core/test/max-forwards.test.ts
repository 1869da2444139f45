import type { RequestTarget } from '@chain407/core';
import { answerAsRecipient, countForward, isFinalRecipient, type Listener, parseForwardTarget } from '@chain407/core';
import { describe, expect, test } from '@jest/globals';
import { RawClient } from './raw.ts';
import { startListener } from './start-listener.ts';

function targetOf(url: string): RequestTarget {
  const parsed = parseForwardTarget('OPTIONS', url);
  if (!parsed.ok) throw new Error(parsed.why);
  return parsed.target;
}

const limit = (value: string): string[] => ['Max-Forwards', value];

describe('a request', () => {
  test.each([
    ['TRACE', 'http://a/', limit('0'), true],
    ['OPTIONS', 'http://a/', limit('0'), true],
    ['OPTIONS', 'http://a/', ['max-forwards', '000'], true],
    ['OPTIONS', '*', [], true],
    ['OPTIONS', '*', limit('3'), true],
    ['TRACE', 'http://a/', limit('1'), false],
    ['TRACE', 'http://a/', [], false],
    ['GET', 'http://a/', limit('0'), false],
    ['POST', 'http://a/', limit('0'), false],
    ['TRACE', 'http://a/', limit('-0'), false],
    ['TRACE', 'http://a/', limit(''), false],
    ['TRACE', 'http://a/', limit('0x0'), false],
  ])('%s %s with %j ends here: %p', (method, url, headers, ends) => {
    expect(isFinalRecipient(method, targetOf(url), headers)).toBe(ends);
  });

  test.each([
    ['TRACE', limit('1'), limit('0')],
    ['OPTIONS', ['A', '5', 'max-FORWARDS', '10', 'b', '10'], ['A', '5', 'max-FORWARDS', '9', 'b', '10']],
    ['GET', limit('5'), limit('5')],
    ['TRACE', limit('x'), limit('x')],
    ['TRACE', limit('99999999999999999999'), limit('99999999999999999999')],
    ['TRACE', ['Max', 'Max-Forwards'], ['Max', 'Max-Forwards']],
  ])('%s with %j goes on with %j', (method, headers, wanted) => {
    expect(countForward(method, headers)).toEqual(wanted);
  });
});

describe('the last recipient', () => {
  async function ask(message: string): Promise<string> {
    const handle = ({ req, res }: Parameters<Parameters<typeof Listener.start>[0]['handle']>[0]): void => {
      answerAsRecipient(req, res);
    };
    const listener = await startListener(handle);
    const client = await RawClient.connect(listener.port);
    const answer = await client.write(message).toEnd();
    await client.destroy();
    await listener.kill();
    return answer;
  }

  test('of TRACE echoes what it got, without credentials', async () => {
    const answer = await ask(
      'TRACE http://a/ HTTP/1.1\r\nHost: a\r\nX: 1\r\nproxy-AUTHORIZATION: Basic cHc=\r\nAuthorization: Basic cHc=\r\n' +
        'Cookie: cHc=\r\nx: 2\r\nConnection: close\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\nContent-Type: message\/http\r\n/);
    const body = 'TRACE http://a/ HTTP/1.1\r\nHost: a\r\nX: 1\r\nx: 2\r\nConnection: close\r\n\r\n';
    expect(answer.slice(answer.indexOf('\r\n\r\n') + 4)).toBe(body);
    expect(answer).toContain(`Content-Length: ${body.length}\r\n`);
  });

  test('of OPTIONS says what a proxy allows', async () => {
    const answer = await ask('OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\nAllow: GET, HEAD, .*CONNECT\r\nContent-Length: 0\r\n/);
  });
});
