import { hasControls } from '@chain407/auth';
import type { User } from '../users/user-store.ts';
import type { HelperReply } from './replies.ts';

/** Who a helper says this is, with the groups that it names; `undefined` for a name that could not stand in a log. */
export function userOf(name: string, reply: HelperReply): User | undefined {
  if (name === '' || hasControls(name)) return undefined;
  return { name, groups: reply.notes.get('group') ?? [] };
}
