import { createHash, randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const HOST = 'Host: origin.test\r\n';
const BODY = randomBytes(4 * 1024 * 1024);

function expect(condition, what) {
  if (!condition) throw new Error(what);
}

/** Writes a request and reads until the connection closes. `slowly`: with pauses. */
async function exchange(port, request, { body, slowly = false } = {}) {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  const pieces = [];
  let failure;
  socket.on('error', (error) => {
    failure = error;
  });
  socket.on('data', (bytes) => {
    pieces.push(bytes);
    if (!slowly) return;
    socket.pause();
    setTimeout(() => socket.resume(), 1);
  });
  const closed = once(socket, 'close');
  socket.write(request);
  if (body !== undefined) socket.write(body);
  await closed;
  const text = Buffer.concat(pieces);
  const end = text.indexOf('\r\n\r\n');
  return { head: text.toString('latin1', 0, end), body: text.subarray(end + 4), failure };
}

const isWhole = ({ failure }) => expect(failure === undefined, `the connection broke: ${failure}`);
function isOk(answer) {
  isWhole(answer);
  expect(answer.head.startsWith('HTTP/1.1 200 '), `not 200: ${answer.head.slice(0, 300)}`);
}

/** Writes, reads a little or nothing, and goes without a word. */
async function abandon(port, request, { after, reset }) {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  socket.on('data', () => (reset ? socket.resetAndDestroy() : socket.destroy()));
  socket.write(request);
  setTimeout(() => (reset ? socket.resetAndDestroy() : socket.destroy()), after);
  await closed;
}

const get = (chain, path, last = true) =>
  `GET http://origin.test${path} HTTP/1.1\r\n${HOST}${chain.credentials}${last ? 'Connection: close\r\n' : ''}\r\n`;
const post = (chain, length) =>
  `POST http://origin.test/ HTTP/1.1\r\n${HOST}${chain.credentials}Connection: close\r\nContent-Length: ${length}\r\n\r\n`;
const connectTo = (chain, authority = 'origin.test:80', more = '') =>
  `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${chain.credentials}${more}\r\n`;

/** What clients do, well and badly; each run is one of it. `of`: on which chains, where not on all. */
export const KINDS = [
  { name: 'get', run: async (chain) => isOk(await exchange(chain.port, get(chain, '/'))) },
  {
    name: 'download',
    run: async (chain) => {
      const size = randomInt(2_000_000);
      const answer = await exchange(chain.port, get(chain, `/size/${size}`), { slowly: randomInt(4) === 0 });
      isOk(answer);
      expect(answer.body.length === size, `${answer.body.length} bytes of ${size}`);
      expect(sha256(answer.body) === sha256(Buffer.alloc(size, 'x')), 'the body came out another');
    },
  },
  {
    name: 'upload',
    run: async (chain) => {
      const body = BODY.subarray(0, randomInt(1, 1_000_000));
      const answer = await exchange(chain.port, post(chain, body.length), { body });
      isOk(answer);
      expect(JSON.parse(answer.body.toString()).bodySha256 === sha256(body), 'the body came out another');
    },
  },
  {
    name: 'tunnel',
    run: async (chain) => {
      const body = BODY.subarray(0, randomInt(1, 500_000));
      const inner = `POST / HTTP/1.1\r\n${HOST}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n`;
      const socket = connect({ host: '127.0.0.1', port: chain.port, noDelay: true });
      const closed = once(socket, 'close');
      let text = '';
      let inside = false;
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        text += bytes.toString('latin1');
        if (inside || !text.includes('\r\n\r\n')) return;
        inside = true;
        socket.write(inner);
        socket.write(body);
      });
      socket.write(connectTo(chain));
      await closed;
      expect(text.includes(sha256(body)), `the tunnel's body came out another: ${text.slice(0, 200)}`);
    },
  },
  {
    // Where the tier has credentials of its own, wrong ones would lock its account.
    name: 'wrong credentials',
    of: (chain) => chain.credentials !== '',
    run: async (chain) => {
      const wrong = { ...chain, credentials: 'Proxy-Authorization: Basic d3Jvbmc6d3Jvbmc=\r\n' };
      const { head } = await exchange(chain.port, get(wrong, '/'));
      return expect(head.startsWith('HTTP/1.1 407 '), `not 407: ${head.slice(0, 100)}`);
    },
  },
  {
    name: 'pipelined',
    run: async (chain) => {
      const sizes = Array.from({ length: 5 }, () => randomInt(20_000));
      const requests = sizes.map((size, i) => get(chain, `/size/${size}`, i === 4));
      const { head, body, failure } = await exchange(chain.port, requests.join(''));
      isWhole({ failure });
      const lengths = [...`${head}\r\n${body.toString('latin1')}`.matchAll(/^content-length: (\d+)/gim)];
      expect(lengths.map(([, length]) => Number(length)).join() === sizes.join(), `${lengths} for ${sizes}`);
    },
  },
  {
    name: 'forbidden',
    run: async (chain) => {
      const { head } = await exchange(chain.port, connectTo(chain, 'origin.test:1', 'Connection: close\r\n'));
      expect(head.startsWith('HTTP/1.1 403 '), `not 403: ${head.slice(0, 100)}`);
    },
  },
  {
    name: 'the origin breaks off',
    run: async (chain) => {
      const { head, body } = await exchange(chain.port, get(chain, '/cut'));
      expect(head.startsWith('HTTP/1.1 200 ') && body.length < 1000, `${body.length} bytes: ${head.slice(0, 100)}`);
    },
  },
  {
    name: 'malformed',
    run: async (chain) => {
      const { head } = await exchange(chain.port, `GET / HTTP/1.1\r\n${HOST}\r\n`);
      expect(head.startsWith('HTTP/1.1 400 '), `not 400: ${head.slice(0, 100)}`);
    },
  },
  {
    name: 'gone in a download',
    run: (chain) =>
      abandon(chain.port, get(chain, '/size/5000000'), { after: randomInt(50), reset: randomInt(2) === 0 }),
  },
  {
    name: 'gone in an upload',
    run: (chain) =>
      abandon(chain.port, `${post(chain, 500_000)}${'x'.repeat(randomInt(400_000))}`, {
        after: randomInt(50),
        reset: randomInt(2) === 0,
      }),
  },
  {
    name: 'gone in a tunnel',
    run: (chain) => abandon(chain.port, connectTo(chain), { after: randomInt(50), reset: randomInt(2) === 0 }),
  },
  {
    name: 'gone in a head',
    run: (chain) => abandon(chain.port, 'GET http://origin.te', { after: randomInt(200), reset: false }),
  },
];
