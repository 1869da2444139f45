/** `service/host`, both of one part and without a realm: GSS-API finds that out by the host (RFC 4120 §7.2.3.2). */
const SPN = /^[A-Za-z0-9_-]+\/[A-Za-z0-9._:[\]-]+$/;

/** Why a name of a service cannot be used, or `undefined`. */
export function unusableSpn(spn: string): string | undefined {
  return SPN.test(spn) ? undefined : `expected service/host without a realm (HTTP/proxy.corp.example), got "${spn}"`;
}
