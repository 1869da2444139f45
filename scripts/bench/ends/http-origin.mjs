// A process: the origin behind proxies that verify credentials themselves, where nginx is not installed.
import { serveHttp } from './http-end.mjs';
import { listen } from './listen.mjs';

listen((socket) => serveHttp(socket, {}));
