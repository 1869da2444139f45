import { freePort } from './interop/free-port.ts';

/** Overrides that put a chain with its demonstration's origin on free ports in place of the default ones. */
export async function demoPorts(): Promise<string[]> {
  const [downstream, upstream, origin] = [await freePort(), await freePort(), await freePort()];
  return [
    ...['--set', `downstream.listen=127.0.0.1:${downstream}`],
    ...['--set', `upstream.listen=127.0.0.1:${upstream}`],
    ...['--set', `downstream.upstreams.upstream.url=http://127.0.0.1:${upstream}`],
    ...['--set', `upstream.hosts={ origin.test: '127.0.0.1:${origin}' }`],
  ];
}
