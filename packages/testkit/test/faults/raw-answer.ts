import { once } from 'node:events';
import { connect } from 'node:net';

/** A body that has come whole, by its length or its last chunk. */
const WHOLE =
  /^HTTP\/1\.1 (?!1)\d{3}(?=[\s\S]*?\r\n\r\n)(?:(?=[\s\S]*?content-length: (\d+))|(?=[\s\S]*?\r\n0\r\n\r\n$)|(?=[\s\S]*?0123456789$))/i;

/** The rest of a request, which is sent when `after` has resolved, where the connection is open still. */
interface Rest {
  readonly after: Promise<void>;
  readonly text: string;
}

/** Writes a request on a connection of its own; what came, when the answer was whole or the connection had closed. */
export async function rawAnswer(port: number, request: string, rest?: Rest): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  let answer = '';
  socket.on('error', () => undefined);
  socket.on('data', (bytes) => {
    answer += bytes.toString('latin1');
    if (isWhole(answer)) socket.destroy();
  });
  const closed = once(socket, 'close');
  socket.write(request, 'latin1');
  await rest?.after;
  if (rest !== undefined && !socket.destroyed) socket.write(rest.text, 'latin1');
  await closed;
  return answer;
}

function isWhole(answer: string): boolean {
  const match = WHOLE.exec(answer);
  if (match === null) return false;
  if (match[1] === undefined) return true;
  return answer.length >= answer.indexOf('\r\n\r\n') + 4 + Number(match[1]);
}
