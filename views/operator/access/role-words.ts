import type { Operator } from '../../../plugins/operators/contract.ts'

type Role = Operator['role']

export const roleWords = {
  read: 'Read',
  operate: 'Operate',
  own: 'Own',
} as const satisfies Record<Role, string>

const hints = {
  read: 'Read: see instances, billing, mail, alerts and the audit log',
  operate: 'Operate: also read container logs, create, start, stop, upgrade, back up, remove',
  own: 'Own: also delete for good, change owners, manage operators and tokens',
} as const satisfies Record<Role, string>

/** The roles as the choices of a field. */
export const roleOptions = Object.entries(hints).map(([value, label]) => ({ value, label }))
