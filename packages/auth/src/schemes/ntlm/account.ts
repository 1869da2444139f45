/** A name as an AUTHENTICATE_MESSAGE carries it (MS-NLMP §2.2.1.3). */
export interface NtlmName {
  readonly user: string;
  /** Empty where the server is to find it. */
  readonly domain: string;
}

/**
 * `DOMAIN\user` names its domain itself, and a name of an account cannot hold a backslash. Any other name goes with the
 * given domain, else with none. So `user@domain` (a UPN) stays whole, as MS-NLMP §3.3.2 hashes it.
 */
export function ntlmName(username: string, domain?: string): NtlmName {
  const backslash = username.indexOf('\\');
  if (backslash < 0) return { user: username, domain: domain ?? '' };
  return { user: username.slice(backslash + 1), domain: username.slice(0, backslash) };
}
