import assert from 'node:assert/strict';
import {
  endToEnd,
  guardRequest,
  parseConnectTarget,
  parseForwardTarget,
  valuesOf,
} from '../../packages/core/dist/index.js';
import { target, text } from './target.mjs';

const TARGETS_OF_REQUESTS = [
  'http://origin.test/a//b/../c?d=e',
  'https://user:password@origin.test:8443?a',
  'http://[2001:db8::1]:8080/',
  'HTTP://ORIGIN.test',
  'http://127.0.0.1:80/',
  'origin.test:443',
  '[::1]:443',
  '/a',
  '*',
];

target('request targets', TARGETS_OF_REQUESTS, (bytes) => {
  const url = text(bytes);
  for (const method of ['GET', 'OPTIONS']) {
    const parsed = parseForwardTarget(method, url);
    if (!parsed.ok || parsed.target.form !== 'absolute') continue;
    const { absolute, authority, host, path, port } = parsed.target;
    assert.match(authority, /^[\w.~:[\]-]+$/);
    assert.match(path, method === 'OPTIONS' ? /^[/*]/ : /^\//);
    // The next hop, and whoever asks the guard again, reads the same; but OPTIONS of a whole server has no path.
    assert.deepEqual(parseForwardTarget(method, absolute), parsed);
    const request = { method, url: absolute, httpVersion: '1.1', rawHeaders: ['Host', authority] };
    assert.equal(guardRequest(request, 'request').ok, true);
    agreeOnPlace(absolute, host, port);
  }
  const connect = parseConnectTarget(url);
  if (connect.ok) agreeOnPlace(`http://${url}/`, connect.target.host, connect.target.port);
});

/** Browsers read the URL as we do. Where they see a number, they write it as an address: `0x7f.1`. */
function agreeOnPlace(absolute, host, port) {
  if (!URL.canParse(absolute)) return;
  const url = new URL(absolute);
  assert.equal(Number(url.port || (url.protocol === 'https:' ? 443 : 80)), port);
  if (/^[0-9.]+$/.test(url.hostname) || url.hostname.startsWith('[')) return;
  assert.equal(url.hostname, host);
}

const FIELDS = [
  'Connection: close, X-Hop, content-length\r\nX-Hop: a\r\nContent-Length: 5\r\nKeep-Alive: b\r\nX: c',
  'connection: te\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\nProxy-Authorization: a\r\nUpgrade: x\r\nHost: a',
];

target('header fields', FIELDS, (bytes) => {
  const raw = text(bytes)
    .split('\r\n')
    .flatMap((line) => {
      const [name, ...value] = line.split(':');
      return [name, value.join(':').trim()];
    });
  const kept = endToEnd(raw);
  // The framing of a body is nobody's to take away by Connection.
  assert.deepEqual(valuesOf(kept, 'content-length'), valuesOf(raw, 'content-length'));
  for (const name of ['connection', 'transfer-encoding', 'proxy-authorization', 'upgrade']) {
    assert.deepEqual(valuesOf(kept, name), []);
  }
  assert.deepEqual(endToEnd(kept), kept);
});
