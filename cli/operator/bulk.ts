import { UsageError } from '../command/arguments.ts'
import type { Command } from '../command/call.ts'
import { sayTable } from '../command/output.ts'
import { controlOf, jsonOption } from './control/control.ts'
import { columnLook, type Looks } from './control/look.ts'
import { done, failed } from './waiting.ts'

interface ResultsJson {
  dry_run: boolean
  instances: {
    subdomain: string
    result: string | null
    operation_id: string | null
    detail: string | null
  }[]
}

const looks: Looks = { accepted: 'green', refused: 'red' }

/** The same to several instances. */
export const bulk: Command = {
  name: 'bulk',
  takes: [
    {
      name: 'action',
      words: 'start, stop, restart, backup or upgrade',
      example: 'restart --filter status=unhealthy',
    },
  ],
  needsRepo: false,
  summary: 'does the same to several instances: start, stop, restart, backup or upgrade',
  details:
    'The instances are named, or found by a filter, such as status=failed&plan=Basic: the query parameters of GET /admin/instances. ' +
    'The exit code is 1 if one of them was refused.',
  options: {
    instance: { value: '<name>', many: true, words: 'this one; may be repeated' },
    filter: { value: '<query>', words: 'all that it finds' },
    'dry-run': { words: 'only says which ones it would be' },
    ...jsonOption,
  },
  run: async call => {
    const { args, output } = call
    const [names, filter] = [args.texts('instance'), args.text('filter')]
    if (names.length > 0 === (filter !== undefined))
      throw new UsageError('bulk needs either --instance <name>, or --filter <query>')
    const answer = await controlOf(call).ask<ResultsJson>('bulkInstances', {
      body: {
        action: args.id,
        ...(filter === undefined ? { instances: names } : { everything: true, filter }),
        ...(args.flag('dry-run') && { dry_run: true }),
      },
    })
    if (args.flag('json')) output.json(answer)
    else if (answer.instances.length === 0) output.note('There are no such instances.')
    else {
      const rows = answer.instances.map(each => [
        each.subdomain,
        each.result ?? 'would be asked',
        each.operation_id ?? '',
        each.detail ?? '',
      ])
      const headings = ['NAME', 'RESULT', 'OPERATION', '']
      sayTable(output, headings, rows, columnLook(1, looks))
    }
    return answer.instances.some(({ result }) => result === 'refused') ? failed : done
  },
}
