import type { Argument, Option } from '../command/arguments.ts'
import type { Call, Command } from '../command/call.ts'
import { type Asked, controlOf } from './control/control.ts'
import type { Operation } from './control/operations.ts'
import type { InstanceJson } from './control/wire.ts'
import { instanceArgument } from './instance.ts'
import { tellOperation, timeoutOf, waitOptions } from './waiting.ts'

/**
 * A command that starts one operation of the instance that is its first argument, and tells what becomes of it. What
 * the command line lacks is said before anything is sent.
 */
export function operate(
  name: string,
  operation: Operation,
  spec: {
    /** Only the name of the instance, if left out. */
    takes?: readonly Argument[]
    summary: string
    details: string
    options?: Readonly<Record<string, Option>>
    /** Throws a UsageError for what the command line lacks. */
    body?: (call: Call) => object | Promise<object>
    query?: (call: Call) => Asked['query']
    /** Asked before anything is sent; throws a CommandError when it is refused. */
    confirm?: (call: Call) => Promise<void>
  },
): Command {
  return {
    name,
    takes: spec.takes ?? [instanceArgument],
    needsRepo: false,
    summary: spec.summary,
    details: spec.details,
    options: { ...spec.options, ...waitOptions },
    run: async call => {
      timeoutOf(call)
      const body = await spec.body?.(call)
      const query = spec.query?.(call)
      const control = controlOf(call)
      await spec.confirm?.(call)
      const started = await control.ask<InstanceJson>(operation, {
        path: { subdomain: call.args.id },
        ...(body !== undefined && { body }),
        ...(query && { query }),
      })
      return tellOperation(call, control, started)
    },
  }
}
