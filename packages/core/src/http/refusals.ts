/**
 * How `details` in the `Proxy-Status` of a refusing upstream tier begins. The downstream reads the last one: such a 407
 * says nothing against the password.
 */
export const REFUSALS = {
  missing: 'credentials missing',
  unsupported: 'credentials of a scheme that is not offered',
  unrecognised: 'credentials not recognised',
  underWay: 'negotiation under way',
  stale: 'nonce too old',
  unavailable: 'credentials cannot be checked now',
  notPermitted: 'not permitted',
} as const;
