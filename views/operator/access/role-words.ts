import type { Operator } from '../../../plugins/operators/contract.ts'

type Role = Operator['role']

export const roleWords = {
  read: 'Read',
  operate: 'Operate',
  own: 'Own',
} as const satisfies Record<Role, string>

/** The roles as the choices of a field. What each may do is a hint: a phone would cut it off in a choice. */
export const roleOptions = Object.entries(roleWords).map(([value, label]) => ({ value, label }))
export const roleHint =
  'Read: sees instances, billing, mail, alerts and the audit log. Operate: also reads container logs, and creates, starts, stops, upgrades, backs up and removes instances. Own: also deletes for good, changes owners, and manages operators and tokens.'
