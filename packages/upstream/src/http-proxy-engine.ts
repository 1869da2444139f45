import type { Agent, ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type HttpProxy from 'http-proxy';

/**
 * http-proxy 1.18.1, made safe to use. It has had no release since 2020 and CVE-2026-29057 is open in it; what is taken
 * away here, and what `forward.ts` does around it, is held by one test per defect in `http-proxy-guards.test.ts`.
 */
type WebPass = (req: IncomingMessage, res: ServerResponse, options: object) => unknown;
type Engine = HttpProxy & { webPasses: WebPass[] };

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

/** `deleteLength` turns a chunked DELETE or OPTIONS into one of length 0 with a raw body behind it (CVE-2026-29057). */
const UNSAFE_PASSES: ReadonlySet<string> = new Set(['deleteLength']);

export function createEngine(): HttpProxy {
  const engine = new (load())({
    // The response is written by us, from rawHeaders: http-proxy merges repeated fields.
    selfHandleResponse: true,
    // The target as it came: url.parse and its joining of paths rewrite it.
    toProxy: true,
    prependPath: false,
    xfwd: false,
  }) as Engine;
  engine.webPasses = engine.webPasses.filter((pass) => !UNSAFE_PASSES.has(pass.name));
  return engine;
}

/**
 * An agent for one request. http-proxy gives no access to the request that it makes before its bytes are on the way, and
 * collapses `//` in its path; Node's ClientRequest calls `addRequest` while it is constructed, before its head is written.
 */
export function interceptingAgent(agent: Agent, path: string, onRequest: (request: ClientRequest) => void): Agent {
  const { addRequest } = agent as unknown as { addRequest: (request: ClientRequest, options: object) => void };
  return Object.create(agent, {
    addRequest: {
      value: (request: ClientRequest, options: object): void => {
        request.path = path;
        onRequest(request);
        addRequest.call(agent, request, options);
      },
    },
  }) as Agent;
}
