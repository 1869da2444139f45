declare module 'apache-md5' {
  /** The `$apr1$` hash of a password, with the salt of `hash`. */
  export default function apacheMd5(password: string, hash?: string): string;
}
