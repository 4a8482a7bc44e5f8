import type { Clock } from '../../src/clock.ts'
import type { Db } from '../../src/storage/database.ts'
import type * as schema from './schema.ts'
import { passwords } from './schema.ts'

/** Whether the password still opens anything. It does again as soon as no control plane signs anybody in. */
export interface PasswordLogin {
  isOff(): boolean
  turn(to: 'on' | 'off'): void
}

export function passwordLogin(
  db: Db<typeof schema>,
  clock: Clock,
  { hasOther }: { hasOther: boolean },
): PasswordLogin {
  return {
    isOff: () => hasOther && (db.select().from(passwords).get()?.offSince ?? null) !== null,
    turn: to => {
      db.update(passwords)
        .set({ offSince: to === 'off' ? clock.now() : null })
        .run()
    },
  }
}
