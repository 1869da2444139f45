/** What MIT Kerberos, Heimdal and SSPI put before what they have to say. */
const PREAMBLE =
  /^(?:Unspecified GSS failure\.\s*Minor code may provide more information|No credentials were supplied, or the credentials were unavailable or inaccessible):\s*/;

/** Where the tickets are that a keytab is good for: in the memory of the process that fetches them. */
export const KEYTAB_CCACHE = 'MEMORY:chain407';
const KEYTAB = 'see what the keytab holds (klist -k FILE), and that this user may read it';

/** What is to be done about what GSS-API says; the first that fits. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`default cache: ${KEYTAB_CCACHE}`), KEYTAB],
  [/ticket expired|credentials? (?:cache )?(?:has|have) expired/i, 'renew it (kinit), or name a keytab'],
  [/can't find client principal/i, 'get a ticket of that principal (kinit), or name a keytab that holds its key'],
  [
    /no kerberos credentials|no credentials cache|cannot find mechanisms|bad format in credentials cache/i,
    'get a ticket (kinit), or name a keytab or the ccache that has one (klist)',
  ],
  [/keytab/i, KEYTAB],
  [/clock skew|ticket not yet valid/i, 'set the clock of this machine: five minutes are the usual limit'],
  [/client .* not found in kerberos database/i, 'check the principal'],
  [
    /server .* not found in kerberos database|server not found/i,
    'set spn to what the proxy is registered under; where DNS leads to another name, dns_canonicalize_hostname = false in krb5.conf',
  ],
  [/pre-?authentication failed|password incorrect|decrypt integrity/i, 'the keytab has an old key: export it anew'],
  [
    /kdc|no answer from kerberos/i,
    'see that the KDC which krb5.conf or DNS names for the realm can be reached (port 88)',
  ],
  [/realm/i, 'name the realm of the proxy in krb5.conf (default_realm, domain_realm)'],
  [/permission denied/i, 'see that this user may read the keytab or ccache'],
];

/** What GSS-API said without its preamble, and what helps. */
export function withRemedy(said: string): string {
  const why = said.replace(PREAMBLE, '').trim();
  const [, remedy] = REMEDIES.find(([pattern]) => pattern.test(why)) ?? [];
  return remedy === undefined ? why : `${why}: ${remedy}`;
}

/** Why the package cannot be used, and what helps; `code` is Node's. */
export function whyNotLoaded(code: string | undefined, said: string): string {
  const [first = ''] = said.split('\n');
  if (code === 'ERR_MODULE_NOT_FOUND') {
    return 'Negotiate needs the optional package kerberos, which is not installed: npm i kerberos';
  }
  // Its native part is loaded by `require`, and has Node's other code.
  if (code === 'MODULE_NOT_FOUND') {
    return 'the optional package kerberos is not built: npm rebuild kerberos, with a C++ compiler and the headers of MIT Kerberos (libkrb5-dev, krb5-devel)';
  }
  return `the optional package kerberos cannot be used: ${first}; is MIT Kerberos installed (libgssapi-krb5-2, krb5-libs)?`;
}
