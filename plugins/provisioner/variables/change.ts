import { currentPrincipal } from '../../../src/acting.ts'
import { invalidFields, notFound } from '../../../src/http/problem.ts'
import { request } from '../commands/commands.ts'
import { notPossibleNow } from '../contract.ts'
import { type Fleet, specOf } from '../records/fleet.ts'
import { requireInstance, wanted } from '../records/instance.ts'
import type { Accepted } from '../records/operation.ts'
import type { Instance } from '../schema.ts'
import { mostVariables, nameFault } from './names.ts'
import type { Variables } from './variables.ts'

/** What is changed: a variable gets a value, or with null goes. `restart` applies it at once. */
export interface VariableChange {
  name: string
  value: string | null
  /** Whether its value is masked in the log and never shown. */
  secret: boolean
  restart: boolean
}

/**
 * Sets or removes a variable of an instance. It applies from the next start on, and with `restart` an instance that is to run is
 * restarted now. Throws `invalid`, `not-found`, `unknown-instance`, `not-possible-now`, `suspended`.
 */
export function changeVariable(
  fleet: Fleet,
  variables: Variables,
  subdomain: string,
  { name, value, secret, restart }: VariableChange,
): Accepted {
  const { db, clock } = fleet
  return db.transaction(() => {
    const instance = requireInstance(db, subdomain)
    if (instance.desired === 'deleted')
      throw notPossibleNow(`"${subdomain}" is deprovisioned; bring it back before you change its variables.`)
    if (value === null) {
      if (!variables.remove(instance.id, name)) throw notFound(`"${subdomain}" has no variable ${name}.`)
    } else {
      const known = variables.list(instance.id)
      const fault = nameFault(name, platformNames(fleet, instance, known))
      if (fault) throw invalidFields([{ path: 'name', message: fault }])
      if (known.length >= mostVariables && known.every(each => each.name !== name))
        throw invalidFields([
          { path: 'name', message: `is one too many: an instance may have ${mostVariables}` },
        ])
      const { name: who = null } = currentPrincipal() ?? {}
      variables.set(instance.id, name, { value, secret }, { at: clock.now(), who })
    }
    const detail = `${value === null ? 'removed' : 'set'} ${name}`
    fleet.changed({
      instanceId: instance.id,
      subdomain,
      change: 'variables',
      operationId: null,
      result: 'done',
      detail,
    })
    if (restart && wanted(instance) === 'running') return request(fleet, subdomain, 'restart')
    return { instanceId: instance.id, operationId: null }
  })
}

/** What the platform sets for this instance, whichever plugin does. */
function platformNames(fleet: Fleet, instance: Instance, own: readonly { name: string }[]): string[] {
  return Object.keys(specOf(fleet, instance).environment).filter(name =>
    own.every(each => each.name !== name),
  )
}

/** Whether a container of an instance has other variables than those that are set now. */
export function variablesDiffer(variables: Variables, instance: Instance): boolean {
  const hasContainer = ['running', 'unhealthy', 'provisioning'].includes(instance.status)
  return hasContainer && instance.variables !== variables.digest(instance.id)
}
