import type { Agent, ClientRequest, ClientRequestArgs, IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import type HttpProxy from 'http-proxy';

/**
 * http-proxy 1.18.1, made safe to use. It has had no release since 2020 and CVE-2026-29057 is open in it; what is taken
 * away here, and what `forward.ts` does around it, is held by one test per defect in `http-proxy-guards.test.ts`.
 */
type WebPass = (req: IncomingMessage, res: ServerResponse, options: object) => unknown;
type Engine = HttpProxy & { webPasses: WebPass[] };
/** How a request gets to its agent: public in Node, but not in its types. */
type Queue = { addRequest(request: ClientRequest, options: ClientRequestArgs): void };

/**
 * It takes `util._extend` when it is loaded, and a new Node prints DEP0060 at its first call. For the moment of loading
 * it gets the function that Node recommends instead; nobody else's warnings are touched.
 */
function load(): typeof HttpProxy {
  const require = createRequire(import.meta.url);
  const util = require('node:util') as { _extend: unknown };
  const original = util._extend;
  util._extend = Object.assign;
  try {
    return require('http-proxy') as typeof HttpProxy;
  } finally {
    util._extend = original;
  }
}

/** Turns a chunked DELETE or OPTIONS into one of length 0 with a raw body behind it (CVE-2026-29057). */
const UNSAFE_PASS = 'deleteLength';

export function createEngine(): HttpProxy {
  const engine = new (load())({
    // The response is written by us, from rawHeaders: http-proxy merges repeated fields.
    selfHandleResponse: true,
    // Without these it parses the target and collapses `//` in it; `interceptingAgent` is where the path is set.
    toProxy: true,
    prependPath: false,
    ignorePath: true,
    xfwd: false,
  }) as Engine;
  const safe = engine.webPasses.filter((pass) => pass.name !== UNSAFE_PASS);
  if (safe.length === engine.webPasses.length) throw new Error(`http-proxy has no ${UNSAFE_PASS}: review its guards`);
  engine.webPasses = safe;
  return engine;
}

/**
 * An agent for one request. http-proxy gives no access to the request that it makes before its bytes are on the way;
 * Node's ClientRequest calls `addRequest` while it is constructed, before its head is written. `host` is the name that a
 * certificate must have. `fresh`: not on an idle connection; where one was found dead, its siblings are.
 */
export function interceptingAgent(
  agent: Agent,
  host: string,
  fresh: boolean,
  onRequest: (request: ClientRequest) => void,
): Agent {
  const addRequest = (request: ClientRequest, options: ClientRequestArgs): void => {
    const named = { ...options, servername: isIP(host) > 0 ? '' : host };
    if (fresh) for (const idle of agent.freeSockets[agent.getName(named)] ?? []) idle.destroy();
    onRequest(request);
    (agent as unknown as Queue).addRequest(request, named);
  };
  return Object.create(agent, { addRequest: { value: addRequest } });
}
