import { hangingPort } from '@chain407/testkit';
import { expect, test } from '@jest/globals';
import { Cancellation } from '../src/hop/cancellation.ts';
import { dial, HopTls } from '../src/hop/dial.ts';
import { HOP_CODES } from '../src/hop/hop-error.ts';

const SILENT = (): void => undefined;
const at = { host: 'proxy.test', port: 8080, connectTimeout: 50 };

test.each([
  ['TCP', at],
  ['TLS', { ...at, tls: new HopTls('proxy.test', {}) }],
])(
  'over %s, a name whose servers are silent is told from a hop that does not take the connection',
  async (_how, address) => {
    await expect(dial(address, new Cancellation(), SILENT)).rejects.toMatchObject({ code: HOP_CODES.dnsTimeout });
    const { port, close } = await hangingPort();
    const known = dial({ ...address, port }, new Cancellation(), (_host, _options, callback) =>
      process.nextTick(callback, null, [{ address: '127.0.0.1', family: 4 }]),
    );
    await expect(known).rejects.toMatchObject({ code: HOP_CODES.connectTimeout });
    await close();
  },
);
