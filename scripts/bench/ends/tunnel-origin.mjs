// A process: where tunnels end that come through a proxy which verifies credentials.
import { listen } from './listen.mjs';
import { serveTunnel } from './tunnel-end.mjs';

listen((socket) => serveTunnel(socket, Buffer.alloc(0)));
