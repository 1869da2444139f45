import type { Leg } from '@chain407/core';
import { subscribeLegs } from '@chain407/core';
import type { Origin } from '@chain407/testkit';
import { RawConnection, startOrigin } from '@chain407/testkit';
import type { Running } from './lifecycle.ts';
import { portInUse } from './listen-error.ts';
import { paint, print } from './output.ts';
import { transcript } from './transcript.ts';

/** Where the demonstration's origin listens; `configs/chain.yaml` points `origin.test` there. */
const ORIGIN = { host: '127.0.0.1', port: 8407 } as const;

export interface DemoChain {
  readonly downstream: { readonly url: string; readonly port: number };
  readonly upstream: { readonly url: string; readonly port: number };
}

/** The echoing origin of `npm start`, which `up --demo` starts before the tiers. */
export async function startDemoOrigin(): Promise<Running> {
  let origin: Origin;
  try {
    origin = await startOrigin(ORIGIN);
  } catch (error) {
    throw portInUse(
      error,
      `${ORIGIN.host}:${ORIGIN.port}`,
      'the demonstration needs it for its origin: free it, or leave --demo out',
    );
  }
  return { close: () => origin.close(), kill: () => origin.close() };
}

/** One request through the chain, told leg by leg, and what to try next. */
export async function demonstrate({ downstream, upstream }: DemoChain): Promise<void> {
  const legs: Leg[] = [];
  const stop = subscribeLegs((leg) => legs.push(leg));
  const client = await RawConnection.connect(downstream.port);
  await client.exchange('GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\nConnection: close\r\n\r\n');
  client.destroy();
  stop();
  print(
    [
      paint('bold', 'One request through the chain, leg by leg:'),
      '',
      transcript(legs),
      '',
      "The downstream answered the 407 in the client's place. Both stay up; try:",
      `  curl -x ${downstream.url} http://origin.test/                        # the same: 200`,
      `  curl -x ${upstream.url} http://origin.test/                        # without the downstream: the 407 page`,
      `  npx chain407 trace -x ${downstream.url} --connect http://origin.test/   # every leg of a tunnel`,
      'Ctrl-C drains and ends it.',
    ].join('\n'),
  );
}
