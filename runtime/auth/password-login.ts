import type { Clock } from '../../src/clock.ts'
import type { Db } from '../../src/storage/database.ts'
import type * as schema from './schema.ts'
import { passwords } from './schema.ts'

/** Whether the password signs in. It always does while there is no other way to sign in. */
export interface PasswordLogin {
  isOff(): boolean
  setEnabled(enabled: boolean): void
}

export function passwordLogin(
  db: Db<typeof schema>,
  clock: Clock,
  { hasOther }: { hasOther: boolean },
): PasswordLogin {
  return {
    isOff: () => hasOther && (db.select().from(passwords).get()?.offSince ?? null) !== null,
    setEnabled: enabled => {
      db.update(passwords)
        .set({ offSince: enabled ? null : clock.now() })
        .run()
    },
  }
}
