// A process: the next hop behind every proxy under test. It looks for the right Basic credentials, asks for them where they are
// missing, and answers itself, as origin and as the end of tunnels.
//   node next-hop.mjs USER:PASSWORD
import { serveHttp } from './http-end.mjs';
import { listen } from './listen.mjs';
import { serveTunnel } from './tunnel-end.mjs';

const wanted = Buffer.from(process.argv[2] ?? '').toString('base64');
const CHALLENGE =
  'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="bench"\r\nContent-Length: 0\r\n\r\n';

/** @param {string} head */
const refuse = (head) =>
  /\r\nproxy-authorization: *basic +([^\r]+)/i.exec(head)?.[1] === wanted ? undefined : CHALLENGE;

listen((socket) => serveHttp(socket, { refuse, connect: serveTunnel }));
