import { Secret } from '@chain407/auth';
import { expect, test } from '@jest/globals';
import { fixedSecret } from '../src/account/account.ts';
import { Credential } from '../src/account/credentials.ts';

test('while credentials are held back their secret is looked at now and then, and not more often', () => {
  let [now, looks] = [0, 0];
  const password = {
    ...fixedSecret(new Secret('wrong')),
    refresh: () => {
      looks += 1;
      return Promise.resolve(false);
    },
  };
  const lockout = { attempts: 1, cooldown: 900_000, now: () => now, onChange: () => undefined };
  const account = { username: 'alice', password };
  const credential = new Credential({ name: 'corp', account, schemes: ['basic'], mayGoTo: () => true, lockout });
  void credential.guard.admit();
  credential.rejected('up1 refused them');
  expect(looks).toBe(1);
  for (now = 0; now < 60_000; now += 1_000) credential.lookAgain();
  expect(looks).toBe(4);
  credential.close();
});
