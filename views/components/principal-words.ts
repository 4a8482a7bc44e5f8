import type { AuditEntry } from '../../plugins/audit/contract.ts'

/** Who acts, in words for the operator. `owner` is how the page calls an owner. */
export function principalWords({ kind, name, id }: AuditEntry['principal'], owner: string): string {
  switch (kind) {
    case 'operator':
      return name
    case 'token':
      return name === 'admin token' ? 'admin token (script)' : `token “${name}”`
    case 'owner':
      return owner
    case 'billing':
      return 'billing'
    case 'timer':
      return id === name ? `timer ${name}` : name
    case 'visitor':
      return name
  }
}
