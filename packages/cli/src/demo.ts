import type { Leg } from '@chain407/core';
import { subscribeLegs } from '@chain407/core';
import { RawConnection, startOrigin } from '@chain407/testkit';
import type { UpstreamConfig } from '@chain407/upstream';
import { EXIT, Exit } from './exit.ts';
import type { Running } from './lifecycle.ts';
import { portInUse } from './listen-error.ts';
import { paint, print } from './output.ts';
import { transcript } from './transcript.ts';

/** The name that the demonstration asks for. */
const NAME = 'origin.test';

export interface DemoChain {
  readonly downstream: { readonly url: string; readonly port: number };
  readonly upstream: { readonly url: string; readonly port: number };
}

/** Starts the echoing origin of `npm start` where the upstream expects `origin.test` to be. */
export async function startDemoOrigin(hosts: UpstreamConfig['hosts']): Promise<Running> {
  const place = Object.hasOwn(hosts, NAME) ? hosts[NAME] : undefined;
  if (place?.port === undefined) {
    throw new Exit(
      EXIT.usage,
      `--demo needs upstream.hosts to name an address for ${NAME}: { ${NAME}: '127.0.0.1:8407' }`,
    );
  }
  const { host, port } = place;
  try {
    const origin = await startOrigin({ host, port });
    return { close: () => origin.close(), kill: () => origin.close() };
  } catch (error) {
    const other = `choose another with --set "upstream.hosts={ ${NAME}: '${host}:PORT' }"`;
    throw portInUse(error, `${host}:${port}, where the demonstration's origin is to listen,`, other);
  }
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
