import { existsSync } from 'node:fs'

export const setpriv = '/usr/bin/setpriv'

/** What to start a program with so that it ends with this process, even when busy; nothing if the system cannot. */
export function endingWithParent(): string[] {
  return existsSync(setpriv) ? [setpriv, '--pdeathsig', 'KILL'] : []
}
