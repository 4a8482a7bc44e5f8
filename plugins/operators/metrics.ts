import { roles } from '../../src/http/route.ts'
import { gauge, type Metric } from '../../src/metrics/exposition.ts'
import type { Operator } from './contract.ts'

/** Operators who have joined, by role, and those of them whose password alone signs them in. */
export function operatorMetrics(operators: readonly Operator[]): Metric[] {
  const joined = operators.filter(({ joinedAt }) => joinedAt !== null)
  const byRole = (some: readonly Operator[]) =>
    roles.map(
      role => [{ role }, some.filter(each => each.role === role).length] as [{ role: string }, number],
    )
  const alone = joined.filter(each => each.hasPassword && !each.hasApp && each.passkeys === 0)
  return [
    gauge('longhouse_operators', 'Operators who have joined, by role.', byRole(joined)),
    gauge(
      'longhouse_operators_without_second_factor',
      'Operators with a password and neither an app nor a passkey, by role.',
      byRole(alone),
    ),
  ]
}
