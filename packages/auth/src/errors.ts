/** Codes of {@link AuthError}; a closed list, so that callers can `switch` on it. */
export type AuthErrorCode = 'ERR_AUTH_ILLEGAL_MOVE' | 'ERR_AUTH_INVALID_VALUE';

/**
 * A bug or a value that cannot go on the wire. Expected outcomes (a wrong password, a scheme we do not speak) are
 * values, never this.
 */
export class AuthError extends Error {
  override readonly name = 'AuthError';
  readonly code: AuthErrorCode;

  constructor(code: AuthErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
