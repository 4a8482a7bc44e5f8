import { setTimeout as pause } from 'node:timers/promises'
import { Refusal } from '../command/api.ts'
import type { Call, Command } from '../command/call.ts'
import { eventsOf } from '../command/events.ts'
import { CommandError } from '../command/jobs-folder.ts'
import { type Control, controlOf } from './control/control.ts'
import { instanceArgument } from './instance.ts'
import { createLogPlace } from './log-place.ts'
import { done } from './waiting.ts'

/** What the program of an instance wrote. Part of `longhouse logs`. */
export const containerLog: Command = {
  name: 'logs',
  takes: [instanceArgument],
  needsRepo: false,
  summary: 'shows the log of an instance',
  details: 'Needs the role operate.',
  options: {
    follow: { short: 'f', words: 'follows the log as it is written' },
    search: { value: '<words>', words: 'of an instance: only lines with all of these words' },
    since: { value: '<time>', words: 'of an instance: since this time, or 15m, 2h, 1d ago' },
    until: { value: '<time>', words: 'of an instance: until this time, or so long ago; not with --follow' },
    lines: { value: '<number>', short: 'n', words: 'of an instance: how many of the newest; 500 by default' },
  },
  run: async call => {
    const { args, output } = call
    const control = controlOf(call)
    const query = {
      search: args.text('search'),
      since: args.text('since'),
      until: args.text('until'),
      lines: args.text('lines'),
    }
    if (!args.flag('follow')) {
      output.pass('out', await control.text('getAdminInstanceLog', { path: { subdomain: args.id }, query }))
      return done
    }
    output.note(output.noteLook('dim', await follow(call, control, query)))
    return done
  },
}

/** How often in a row a broken connection is opened again, and how long after. */
const retries = { most: 10, pauseMs: 2000 }

/** Prints each line as it comes, and resolves with the reason for the end. A connection that breaks is continued. */
async function follow(
  { args, output, signal }: Call,
  control: Control,
  query: Record<string, string | undefined>,
): Promise<string> {
  const { id: subdomain } = args
  const place = createLogPlace()
  for (let broken = 0; broken < retries.most; broken++) {
    try {
      const stream = await control.open('getAdminInstanceLog', {
        path: { subdomain },
        query: { ...query, since: place.reopen() ?? query.since },
        headers: { Accept: 'text/event-stream' },
      })
      for await (const { name, data } of eventsOf(stream)) {
        if (name === 'end') return `${subdomain}: ${data}`
        if (place.isNew(data)) output.pass('out', `${data}\n`)
        broken = 0
      }
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof Refusal || (!place.hasBegun() && broken === 0)) throw error
    }
    await pause(retries.pauseMs, undefined, { signal })
  }
  throw new CommandError(`the log of ${subdomain} cannot be followed any more: the connection breaks`)
}
