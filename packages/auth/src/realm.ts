/** Printable text: it goes into a quoted-string (RFC 9110 §5.6.4). */
const REALM = /^[\x20-\x7e\xa0-\xff]+$/;

/** Why a text cannot be used as a realm of ours, or `undefined`. */
export function unusableRealm(realm: string): string | undefined {
  return REALM.test(realm) ? undefined : 'expected a realm without control characters, in ISO 8859-1';
}
