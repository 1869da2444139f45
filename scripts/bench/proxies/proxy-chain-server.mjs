// A process: proxy-chain, which hands everything to a next hop with Basic credentials.
//   node proxy-chain-server.mjs http://USER:PASSWORD@127.0.0.1:PORT
import { Server } from 'proxy-chain';

const upstreamProxyUrl = process.argv[2] ?? '';
const server = new Server({ host: '127.0.0.1', port: 0, prepareRequestFunction: () => ({ upstreamProxyUrl }) });
await server.listen();
process.stdout.write(`${JSON.stringify({ port: server.port })}\n`);
