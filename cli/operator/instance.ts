import { bytesInWords } from '../../views/components/bytes.ts'
import { durationWords } from '../../views/components/time-words.ts'
import type { Argument } from '../command/arguments.ts'
import type { Command } from '../command/call.ts'
import { controlOf, jsonOption } from './control/control.ts'
import { ago, type Looks, sayFields } from './control/look.ts'
import type { InstanceJson, OperationJson } from './control/wire.ts'

export const instanceArgument: Argument = {
  name: 'instance',
  words: 'the name of an instance',
  example: 'acme',
}

/** How the status of an instance is coloured. */
export const statusLooks: Looks = {
  ...{ running: 'green', failed: 'red', unhealthy: 'red' },
  ...{ provisioning: 'yellow', stopping: 'yellow', deprovisioning: 'yellow' },
}

export const instance: Command = {
  name: 'instance',
  takes: [instanceArgument],
  needsRepo: false,
  summary: 'shows one instance and its last operation',
  details: 'What the first lines of its page show.',
  options: jsonOption,
  run: async call => {
    const { args, output, now } = call
    const shown = await controlOf(call).ask<InstanceJson>('getAdminInstance', {
      path: { subdomain: args.id },
    })
    if (args.flag('json')) {
      output.json(shown)
      return 0
    }
    const { status, status_reason: reason, limits, operation, disk_used_bytes: disk } = shown
    const look = statusLooks[status]
    output.say(`${output.look('bold', shown.subdomain)}  ${look ? output.look(look, status) : status}`)
    sayFields(output, [
      ['reason', reason],
      ['suspended', shown.suspension],
      ['address', shown.url],
      ['owner', shown.owner_email],
      ['desired', shown.desired],
      ['version', `${shown.version ?? 'unknown'}${shown.behind ? ', behind' : ''}`],
      ['image', shown.image],
      ['settings', shown.outdated ? 'older ones; restart it' : null],
      ['disk', disk === null ? null : ofLimit(disk, limits.disk_bytes)],
      ['disk quota', shown.disk_quota_bytes === null ? null : bytesInWords(shown.disk_quota_bytes)],
      ['memory', `at most ${bytesInWords(limits.memory_bytes)}`],
      ['last healthy', ago(shown.last_health_at, now)],
      ['created', ago(shown.created_at, now)],
      ['deleted for good', shown.purge_at === null ? null : ago(shown.purge_at, now)],
      ['roll back to', shown.rollback ? `${shown.rollback.image} of ${ago(shown.rollback.at, now)}` : null],
      ['last operation', operation && operationWords(operation, now)],
    ])
    return 0
  },
}

function ofLimit(bytes: number, limit: number | null): string {
  return limit === null ? bytesInWords(bytes) : `${bytesInWords(bytes)} of ${bytesInWords(limit)}`
}

/** One line about an operation. `now` is in milliseconds. */
export function operationWords(operation: OperationJson, now: number): string {
  const { kind, status, actor, created_at: begun, finished_at: ended, error, id } = operation
  const took = ended === null ? '' : ` after ${durationWords(Date.parse(ended) - Date.parse(begun))}`
  const by = actor ? `, by ${actor.name}` : ''
  return `${kind} ${status}${took}, ${ago(begun, now)}${by} (${id})${error ? `: ${error}` : ''}`
}
