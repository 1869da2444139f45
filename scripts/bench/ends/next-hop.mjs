// A process: the next hop behind every proxy under test. It asks for credentials, and answers itself, as origin and as the end of
// tunnels.
//   node next-hop.mjs SCHEME USER:PASSWORD
import { GATES } from './gates.mjs';
import { serveHttp } from './http-end.mjs';
import { listen } from './listen.mjs';
import { serveTunnel } from './tunnel-end.mjs';

const [scheme = 'basic', account = ''] = process.argv.slice(2);
const gate = GATES[scheme](account);

listen((socket) => serveHttp(socket, { refuse: gate(), connect: serveTunnel }));
