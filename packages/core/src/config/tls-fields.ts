import { z } from 'zod';
import { filePath } from './fields.ts';

/** `{ cert, key }`: who a listener is. Relative paths start at `baseDir`. */
export const listenerTls = (baseDir: string) => z.strictObject({ cert: filePath(baseDir), key: filePath(baseDir) });

/** `{ ca, cert, key, servername }`: whom a connection trusts, in place of the well-known authorities, and who it is itself. */
export const connectionTls = (baseDir: string) =>
  z.strictObject({
    ca: filePath(baseDir).optional(),
    cert: filePath(baseDir).optional(),
    key: filePath(baseDir).optional(),
    /** The name that the certificate must have, where it is not that of the url. */
    servername: z.string().min(1).optional(),
  });
