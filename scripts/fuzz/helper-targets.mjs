import assert from 'node:assert/strict';
import { LineReader } from '../../packages/upstream/dist/helper/line-reader.js';
import { parseReply, takeChannel } from '../../packages/upstream/dist/helper/replies.js';
import { target, text } from './target.mjs';

target(
  'helper replies',
  [
    'OK user=alice group=staff group="two words"',
    'ERR message="no such user"',
    'TT TlRMTVNTUAAC',
    'AF * alice',
    'BH why',
    '3 OK ha1="00ff"',
  ],
  (bytes) => {
    const line = text(bytes);
    takeChannel(line);
    assert.ok(['OK', 'ERR', 'BH', 'TT', 'AF', 'NA'].includes(parseReply(line).result));
  },
);

target('helper lines', ['OK user=alice\r\nERR\n', `${'x'.repeat(40)}\nOK\n`, '\n\r\n\r\r\n'], (bytes) => {
  const most = 16;
  const wanted = text(bytes).split('\n');
  const last = wanted.pop();
  const lines = [...wanted, ...(last.length > most ? [last] : [])].map((line) =>
    line.length > most ? [line.slice(0, most), false] : [line.replace(/\r$/, ''), true],
  );
  // However the bytes are cut.
  for (const size of [bytes.length || 1, 7, 1]) {
    const read = [];
    const reader = new LineReader(most, (line, whole) => read.push([line, whole]));
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
    assert.deepEqual(read, lines);
  }
});
